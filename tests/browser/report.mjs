// "They called me anyway": from the form to evidence that verifies itself.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onPaper } from './paper.mjs';
import { expect, expectSame } from './steps.mjs';

const WORDS = 'Dit is nu de <b>vierde</b> keer! "Laat me met rust."';
const send = 'main button[name="action"][value="send"]';

/** Reports a call to one of the numbers of the code that is open. The company has asked and was told. */
export async function reportACall(way, { number, seller }) {
  const { visitor } = way;
  const { page } = visitor;
  await way.step('the form for a call opens', () => visitor.open('/report'));
  await way.look('report a call');
  await way.step('with nothing filled in it comes back, and says what is missing', async () => {
    await page.fill('#words', WORDS);
    await visitor.press(send, 422);
    const links = page.locator('[role="alert"] a');
    const targets = await links.evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expectSame(targets, ['#number', '#company', '#date'], 'the links of the summary');
    expectSame(await page.inputValue('#words'), WORDS, 'what was typed');
  });
  await way.look('call with mistakes');
  await way.step('another language keeps what was typed', async () => {
    visitor.language = way.otherLanguage();
    await visitor.press(`button[name="lang"][value="${visitor.language}"]`);
    expectSame(await page.inputValue('#words'), WORDS, 'what was typed');
    await visitor.look();
    visitor.language = way.language;
    await visitor.press(`button[name="lang"][value="${way.language}"]`);
  });
  await way.step('a call from before the register began is refused, and says where else to go', async () => {
    await visitor.tick(`input[name="own"][value="${number}"]`);
    await page.selectOption('#company', seller.id);
    await page.fill('#date', '2001-01-01');
    await page.selectOption('#sure', 'day');
    await visitor.press(send, 422);
    const targets = await page.locator('[role="alert"] a').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expectSame(targets, ['#date'], 'the links of the summary');
    expectSame(await page.inputValue('#words'), WORDS, 'what was typed');
    expect(await page.locator('main section a[rel="noreferrer"]').first().isVisible(), 'no authority is named');
  });
  await way.look('call from before the register');
  await way.step('the answer comes at once: they asked and were told', async () => {
    await visitor.tick(`input[name="own"][value="${number}"]`);
    await page.selectOption('#company', seller.id);
    await page.fill('#date', await page.getAttribute('#date', 'max'));
    await page.selectOption('#sure', 'day');
    await visitor.press(send);
    expect(/^\/reports\/[0-9a-f-]{36}$/.test(visitor.path()), `the page of a report: ${visitor.path()}`);
    const text = await visitor.text();
    expect(text.includes(WORDS) && text.includes(seller.name), 'what was reported is not shown');
    expect((await visitor.digits()).includes(number.replace(/\D/g, '')), 'the number is not shown');
  });
  await way.look('report');
  await onPaper(way, 'report', [seller.name, number.slice(-3)]);
  await way.step('the evidence verifies by the words in it', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[href$="/evidence.zip"]')]);
    const folder = mkdtempSync(join(tmpdir(), 'metrust-evidence-'));
    try {
      const zip = join(folder, 'evidence.zip');
      await download.saveAs(zip);
      const python = (...all) => execFileSync('python3', all, { cwd: folder, encoding: 'utf8' });
      python('-m', 'zipfile', '-e', zip, folder);
      const said = python('metrust-evidence/check.py', '--number', number);
      expect(said.includes('All of it holds.') && /02-check\.json: holds/.test(said), said);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  await way.step('the report is in the list, and the list leads to it', async () => {
    const path = visitor.path();
    await visitor.press('main a[href="/reports"]');
    await visitor.press(`main a[href="${path}"]`);
    await visitor.open('/reports');
  });
  await way.look('reports');
  await way.step('who asked is shown, with a picture', async () => {
    await visitor.open('/registration/asked');
    expect((await visitor.text()).includes(seller.name), 'the company is not shown');
    expect(await page.locator('svg.plot rect').first().isVisible(), 'there is no picture');
  });
  await way.look('asked');
  await way.step('the registration opens', () => visitor.open('/registration'));
  await onPaper(way, 'registration', [number.slice(-3)]);
  await way.step('the way back to the done page', () => visitor.open('/done'));
}
