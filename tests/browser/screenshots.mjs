// Pictures of the pages, on a phone and on a desk: walks the way of a person and of those who deal
// with reports, and writes an image of each page.
//
//   METRUST_KEY=an operator's key node screenshots.mjs http://127.0.0.1:8080 FOLDER
//
// Started by `tests/run screenshots`, on a service of its own with the demo's company.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Registry } from './registry.mjs';
import { Visitor, start } from './visitor.mjs';

// On a phone in Dutch and in English, on a desk in English: all of it below two megabytes.
const SIZES = {
  phone: { width: 390, height: 844, languages: ['nl', 'en'] },
  desk: { width: 1280, height: 800, languages: ['en'] },
};
const button = (action) => `main button[name="action"][value="${action}"]`;

const [address, folder] = process.argv.slice(2);
const registry = new Registry(address, process.env.METRUST_KEY);

/** Those who deal with reports. */
async function dealing({ visitor, shoot, seller }) {
  const { page } = visitor;
  const enter = async (key, path, name) => {
    await visitor.open('/console');
    await page.fill('#key', key);
    await visitor.press('main button[name="action"][value="enter"]');
    await visitor.open(path);
    await shoot(name);
    await visitor.press('form[action="/console/leave"] button');
  };
  await enter(await registry.keyOf({ role: 'seller', seller: seller.id }), '/console/reports', '8-console-seller');
  await enter(await registry.keyOf({ role: 'regulator' }), '/console/figures', '9-console-regulator');
  await enter(registry.operatorKey, '/console', '10-console-operator');
}

/** One person's way; `shoot` takes the picture. A new page of theirs is one line more. */
async function person({ visitor, shoot, numbers, seller }) {
  const { page } = visitor;
  await visitor.open('/');
  await page.fill('#number-1', numbers[0]);
  await page.fill('#number-2', numbers[1]);
  await shoot('1-opt-out');
  await visitor.press(button('review'));
  await shoot('2-check');
  await visitor.press(button('confirm'));
  await shoot('3-done');
  await registry.answers(numbers, seller);
  await visitor.open('/report');
  await visitor.tick(`input[name="own"][value="${numbers[0]}"]`);
  await page.selectOption('#company', seller.id);
  await page.fill('#date', await page.getAttribute('#date', 'max'));
  await page.selectOption('#sure', 'day');
  await shoot('4-report');
  await visitor.press(button('send'));
  await shoot('5-finding');
  await visitor.open('/registration');
  await shoot('6-registration');
  await visitor.open('/registration/asked');
  await shoot('7-who-asked');
}

async function main() {
  mkdirSync(folder, { recursive: true });
  await registry.prepare({ plain: true });
  const browser = await start();
  let drawn = 0;
  let run = 0;
  for (const [size, { width, height, languages }] of Object.entries(SIZES)) {
    for (const language of languages) {
      const visitor = await Visitor.arrive(browser, { address, language, width, height, scripts: true });
      run += 1;
      const numbers = [`+3247012345${run}`, `+321234567${run}`];
      const shoot = async (name) => {
        drawn += 1;
        const path = join(folder, `${name}-${size}-${language}.jpg`);
        await visitor.page.screenshot({ path, type: 'jpeg', quality: 60, fullPage: size === 'desk' });
      };
      await person({ visitor, shoot, numbers, seller: registry.sellers[0] });
      if (size === 'desk') await dealing({ visitor, shoot, seller: registry.sellers[0] });
      await visitor.leave();
    }
  }
  await browser.close();
  console.log(`${drawn} pictures in ${folder}`);
}

await main();
