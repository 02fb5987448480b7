// Goes the whole way through the pages as people do: in four languages, with scripts off on a narrow
// phone, with scripts on a desk, and at 400 % zoom. The other side of every step is asked through the API.
//
//   METRUST_KEY=an operator's key node pages.mjs http://127.0.0.1:8080
//
// The service must take more than the usual number of opt-outs and codes a minute from one address
// (METRUST__LIMITS__REGISTRATIONS_PER_MINUTE, METRUST__LIMITS__CODES_PER_MINUTE,
// METRUST__LIMITS__LETTERS_PER_MINUTE), and have a mail server (METRUST__MAIL__URL).
//
// Prints a line for each step, stops at the first that fails, and ends with "N passed, N failed".

import { throughTheConsole } from './console.mjs';
import { onPaper } from './paper.mjs';
import { Registry } from './registry.mjs';
import { reportACall } from './report.mjs';
import { Steps, expect, expectSame } from './steps.mjs';
import { Visitor, start } from './visitor.mjs';

const LANGUAGES = ['nl', 'fr', 'de', 'en'];
const PHONE = 320;
const DESK = 1280;

// A landline and a mobile for each language, as people write them at home, and the country to
// choose for that. The last digits (N) are drawn anew for each run, so that a run finds nothing of
// an earlier one.
const RUN = String(Math.floor(Math.random() * 1000)).padStart(3, '0');
const ours = (texts) => texts.map((text) => [...RUN].reduce((out, digit) => out.replace('N', digit), text));
const atHome = (region, typed, numbers) => ({ region, typed: ours(typed), numbers: ours(numbers) });
const AT_HOME = {
  nl: atHome('BE', ['012 34 5N NN', '0470/12.3N.NN'], ['+3212345NNN', '+32470123NNN']),
  fr: atHome('FR', ['01 23 45 6N NN', '06.12.34.5N.NN'], ['+33123456NNN', '+33612345NNN']),
  de: atHome('DE', ['030/123NNN', '01512 3456NNN'], ['+4930123NNN', '+4915123456NNN']),
  en: atHome('GB', ['(0121) 234 5NNN', '07400 123NNN'], ['+441212345NNN', '+447400123NNN']),
};

const box = (n) => `#number-${n}`;
const button = (action) => `main button[name="action"][value="${action}"]`;
const languageButton = (language) => `button[name="lang"][value="${language}"]`;
const languageLink = (language) => `.languages a[hreflang="${language}"]`;
const tick = (name, value) => `input[name="${name}"][value="${value}"]`;
const digitsOf = (number) => number.replace(/\D/g, '');

/** What all ways through the pages share. */
class Way {
  constructor(steps, browser, registry, address) {
    Object.assign(this, { steps, browser, registry, address });
    this.titles = new Map();
  }

  /** Begins a way of one person; its steps carry language and width. */
  async begin(language, width, more = {}) {
    const zoomed = more.zoom ? ` ${more.zoom}00%` : '';
    this.label = `${language} ${String(width).padStart(4)}px${zoomed}`;
    this.language = language;
    this.width = width;
    this.more = more;
    this.visitor = await this.newVisitor();
  }

  newVisitor() {
    const { address, language, width, more } = this;
    return Visitor.arrive(this.browser, { address, language, width, ...more });
  }

  step(name, work) {
    return this.steps.run(`${this.label}  ${name}`, work);
  }

  /** Looks the page over, as a step, and keeps its title to compare languages. */
  look(name, visitor = this.visitor) {
    return this.step(`${name}: language, build, width, axe, nothing to object to`, async () => {
      const title = await visitor.look();
      const known = this.titles.get(name) ?? new Map();
      this.titles.set(name, known.set(this.language, title));
    });
  }

  otherLanguage() {
    return LANGUAGES[(LANGUAGES.indexOf(this.language) + 1) % LANGUAGES.length];
  }

  /** Types numbers into the boxes, asking for another box where one is missing. */
  async typeNumbers(typed) {
    const { page } = this.visitor;
    for (const [index, text] of typed.entries()) {
      if ((await this.visitor.values('number')).length <= index) {
        await this.visitor.press(button('add'));
      }
      await page.fill(box(index + 1), text);
    }
  }
}

async function firstPage(way) {
  const { visitor } = way;
  await way.step('scripts are off', () => visitor.provesThatScriptsAreOff());
  await way.step('the first page opens', () => visitor.open('/'));
  await way.look('first page');
  await way.step('the first key stroke offers to skip to the content', async () => {
    await visitor.page.keyboard.press('Tab');
    const first = visitor.page.locator('.skip');
    expect(await first.evaluate((one) => one === document.activeElement), 'the skip link has no focus');
    const place = await first.boundingBox();
    expect(place.y >= 0 && place.x >= 0, 'the skip link cannot be seen');
    await visitor.page.keyboard.press('Enter');
    expectSame(new URL(visitor.page.url()).hash, '#content', 'where the skip link leads');
  });
}

async function mistakes(way) {
  const { visitor } = way;
  const typed = ['bel <b>mij</b> "op" & co', '112'];
  await way.step('one more box can be had, and what was typed stays', async () => {
    await way.typeNumbers(typed);
    const before = await visitor.values('number');
    await visitor.press(button('add'));
    expectSame(await visitor.values('number'), [...before, ''], 'what was typed, and one more');
    expectSame(await visitor.focused(), `number-${before.length + 1}`, 'what has the focus');
  });
  await way.step('a form with mistakes comes back', async () => {
    await visitor.tick(tick('scope', 'chosen'));
    await visitor.tick(tick('channel', 'voice'), false);
    await visitor.tick(tick('channel', 'text'), false);
    await visitor.press(button('review'), 422);
    expectSame((await visitor.values('number')).slice(0, 2), typed, 'what was typed');
    expectSame(await visitor.ticked('scope'), ['chosen'], 'the chosen scope');
    expectSame(await visitor.ticked('channel'), [], 'the chosen channels');
  });
  await way.step('the summary has the focus, and each of its links leads to its field', async () => {
    expect((await visitor.focused()).includes('alert'), `the focus is on "${await visitor.focused()}"`);
    const links = visitor.page.locator('[role="alert"] a');
    const targets = await links.evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expectSame(targets, ['#number-1', '#number-2', '#seller-1', '#channel-voice'], 'the links');
    for (const [index, target] of targets.entries()) {
      await links.nth(index).click();
      expectSame(`#${await visitor.focused()}`, target, 'what has the focus');
      const inView = await visitor.page.locator(target).evaluate((one) => {
        const { top, bottom } = one.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      });
      expect(inView, `${target} is out of view`);
    }
  });
  await way.look('form with mistakes');
  await way.step('another language keeps what was typed', async () => {
    visitor.language = way.otherLanguage();
    await visitor.press(languageButton(visitor.language));
    expectSame((await visitor.values('number')).slice(0, 2), typed, 'what was typed');
    expectSame(await visitor.ticked('scope'), ['chosen'], 'the chosen scope');
    expectSame(await visitor.ticked('channel'), [], 'the chosen channels');
    await visitor.look();
  });
  await way.step('the language sticks on other pages, and can be changed back there', async () => {
    await visitor.open('/registration');
    await visitor.look();
    visitor.language = way.language;
    await visitor.press(languageLink(way.language));
    expectSame(visitor.path(), '/registration', 'where the language link leads');
    await visitor.look();
    await visitor.open('/');
    await visitor.look();
  });
}

/** From the first page to the done page. */
async function optOut(way, { typed, numbers, region, chosen }) {
  const { visitor } = way;
  await way.step('numbers are typed into two boxes', async () => {
    await visitor.open('/');
    await way.typeNumbers(typed);
    if (region) await visitor.page.selectOption('select[name="region"]', region);
    if (chosen) {
      const company = tick('seller', chosen.id);
      const shown = await visitor.page.locator(company).isVisible();
      expect(!shown, 'companies show before they can be chosen');
      await visitor.tick(tick('scope', 'chosen'));
      await visitor.tick(company);
      await visitor.tick(tick('channel', 'text'), false);
    }
  });
  const expectNumbers = async () => {
    const shown = await visitor.digits();
    for (const number of numbers) expect(shown.includes(digitsOf(number)), `${number} is not shown`);
    if (chosen) expect((await visitor.text()).includes(chosen.name), `${chosen.name} is not shown`);
  };
  await way.step('Enter leads to everything once more, as it will be registered', async () => {
    await visitor.page.focus(box(1));
    await visitor.go(() => visitor.page.keyboard.press('Enter'));
    await expectNumbers();
  });
  await way.look('review');
  await way.step('another language, and a change, keep what was typed', async () => {
    visitor.language = way.otherLanguage();
    await visitor.press(languageButton(visitor.language));
    await expectNumbers();
    await visitor.look();
    visitor.language = way.language;
    await visitor.press(languageButton(way.language));
    await visitor.press(button('edit'));
    expectSame((await visitor.values('number')).slice(0, 2), typed, 'what was typed');
    expectSame(await visitor.ticked('scope'), [chosen ? 'chosen' : 'all'], 'the scope');
    await visitor.look();
    await visitor.press(button('review'));
    await expectNumbers();
  });
  const code = await way.step('confirming gives a code', async () => {
    await visitor.press(button('confirm'));
    expectSame(visitor.path(), '/done', 'the page after confirming');
    await expectNumbers();
    return visitor.code();
  });
  await way.look('done');
  return code;
}

/** The proof by e-mail, on the page with the code. */
async function byMail(way, code) {
  const { visitor } = way;
  const send = 'form[action="/registration/mail"] button';
  const address = `visitor-${way.language}-${way.width}@example.org`;
  await way.step('a mistyped e-mail address comes back, and the focus is on what is wrong', async () => {
    await visitor.page.fill('#mail-address', 'visitor@example');
    await visitor.press(send, 422);
    expectSame(await visitor.values('address'), ['visitor@example'], 'what was typed');
    expect((await visitor.focused()).includes('alert'), `the focus is on "${await visitor.focused()}"`);
  });
  await way.look('e-mail address with a mistake');
  await way.step('the page with the code says that the letter goes, and not to whom', async () => {
    await visitor.page.fill('#mail-address', address);
    await visitor.press(send);
    expectSame(visitor.path(), '/done', 'the page after asking for a letter');
    expect(await visitor.page.locator('#mail [role="status"]').isVisible(), 'nothing is said');
    expect(!(await visitor.page.content()).includes(address), 'the address is shown again');
    expectSame(await visitor.code(), code, 'the code');
  });
  await way.look('done, with a letter');
}

async function nothingTwice(way, code, typed) {
  const { visitor, registry } = way;
  const before = await registry.registrations();
  await way.step('a reload shows the same code', async () => {
    const response = await visitor.page.reload();
    expectSame(response.status(), 200, 'the status of the reload');
    expectSame(await visitor.code(), code, 'the code');
  });
  await way.step('going back and confirming again gives the same code', async () => {
    await visitor.back();
    await visitor.press(button('confirm'));
    expectSame(await visitor.code(), code, 'the code');
  });
  await way.step('Back leads through every page to the first, with what was typed', async () => {
    const seen = [];
    while (visitor.path() !== '/') {
      await visitor.back();
      seen.push(visitor.path());
      if (visitor.path() === '/opt-out') {
        expectSame((await visitor.values('number')).slice(0, 2), typed, 'what was typed');
      }
    }
    expect(seen.includes('/opt-out/review') && seen.includes('/opt-out'), `Back led to ${seen}`);
    await visitor.open('/done');
    expectSame(await visitor.code(), code, 'the code');
  });
  await way.step('neither registered anything', async () => {
    expectSame(await registry.registrations(), before, 'registrations in the audit');
    visitor.expectNoProblems();
  });
}

/** What the very next check of each company and channel answers for all numbers. */
async function nextCheck(way, numbers, expected) {
  const words = [...new Set(expected.map((one) => one.answer))].join(' or ');
  await way.step(`the very next check says ${words}`, async () => {
    for (const { seller, channel, answer } of expected) {
      const found = await way.registry.answers(numbers, seller, channel);
      expectSame(found, numbers.map(() => answer), `the answers for ${seller.name}, ${channel}`);
    }
  });
}

async function leaveTheDevice(way, { code, numbers }) {
  const { visitor } = way;
  await way.step('closing the visit on this device hides the registration', async () => {
    await visitor.open('/done');
    await visitor.open('/registration');
    await visitor.press('form[action="/leave"] button');
    expectSame(visitor.path(), '/', 'the page after leaving');
    await visitor.expectNothingBehind([code, ...numbers.map((number) => digitsOf(number).slice(3))]);
    await visitor.open('/done');
    expectSame(visitor.path(), '/registration', 'where /done leads without a visit');
    expect(await visitor.page.locator('#reference').isVisible(), 'the code is not asked');
  });
}

async function comeBack(way, { numbers, code, chosen }) {
  const guest = await way.newVisitor();
  await way.step('on another device the code is asked', () => guest.open('/registration'));
  await way.look('code', guest);
  const wrong = code.replace(/^.{4}/, (group) => (group === 'AAAA' ? 'CCCC' : 'AAAA'));
  for (const [name, typed] of [['no code', ''], ['half a code', 'AB-CD'], ['a wrong code', wrong]]) {
    await way.step(`${name} is refused, and what was typed stays`, async () => {
      await guest.page.fill('#reference', typed);
      await guest.press('main button[type="submit"]', /^4\d\d$/);
      expectSame(await guest.values('reference'), [typed], 'what was typed');
      await guest.page.locator('[role="alert"] a').click();
      expectSame(await guest.focused(), 'reference', 'where the summary leads');
    });
    await way.look(name, guest);
  }
  await way.step('the code opens the registration, however it is written', async () => {
    await guest.page.fill('#reference', ` ${code.toLowerCase().replaceAll('-', ' ')} `);
    await guest.press('main button[type="submit"]');
    expectSame(guest.path(), '/registration', 'the page of the registration');
    const shown = await guest.digits();
    for (const number of numbers) expect(shown.includes(digitsOf(number)), `${number} is not shown`);
    if (chosen) expect((await guest.text()).includes(chosen.name), `${chosen.name} is not shown`);
  });
  await way.look('registration', guest);
  await way.step('it shows in another language too', async () => {
    guest.language = way.otherLanguage();
    await guest.press(languageLink(guest.language));
    await guest.look();
    guest.language = way.language;
    await guest.press(languageLink(way.language));
  });
  await way.step('a visit that ended meanwhile withdraws nothing', async () => {
    await guest.context.clearCookies({ name: 'metrust_visit' });
    await guest.press('form[action="/registration/withdraw"] button', 403);
    const found = await way.registry.answers(numbers, chosen ?? way.registry.sellers[0]);
    expectSame(found, numbers.map(() => 'suppress'), 'the answers');
  });
  await way.look('visit over', guest);
  await way.step('with the code typed again it is withdrawn', async () => {
    await guest.open('/registration');
    await guest.page.fill('#reference', code);
    await guest.press('main button[type="submit"]');
    await guest.press('form[action="/registration/withdraw"] button');
    expectSame(guest.path(), '/registration', 'the page after withdrawing');
    expectSame(await guest.page.locator('form[action="/registration/withdraw"]').count(), 0, 'withdraw buttons');
  });
  await way.look('withdrawn', guest);
  return guest;
}

async function messages(way, guest, numbers) {
  await way.step('an address that is not there says so', () => guest.open('/no-such-page', 404));
  await way.look('not found', guest);
  await way.step('a form that lost its cookies is not taken', async () => {
    await guest.open('/');
    await guest.page.fill(box(1), numbers[0]);
    await guest.context.clearCookies();
    await guest.press(button('review'), /^4\d\d$/);
  });
  await way.look('cookies lost', guest);
}

/** No address that the browser asked for holds a code or a number. */
function nothingInAddresses(way, visitors, { code, numbers }) {
  return way.step('no address held a code or a number', () => {
    const secrets = [code, code.replaceAll('-', ''), ...numbers.map((number) => digitsOf(number).slice(2))];
    const plain = (text) => decodeURIComponent(text).toUpperCase().replace(/[^0-9A-Z-]/g, '');
    for (const url of visitors.flatMap((visitor) => visitor.addresses)) {
      const leak = secrets.find((secret) => plain(url).includes(secret));
      expect(!leak, `${leak} stands in ${url}`);
    }
  });
}

/** Home numbers, all companies, on a phone; with every mistake and message on the way. */
async function onAPhone(way, language) {
  await way.begin(language, PHONE);
  const { sellers } = way.registry;
  const { typed, numbers, region } = AT_HOME[language];
  const every = (answer) =>
    sellers.flatMap((seller) => ['voice', 'text'].map((channel) => ({ seller, channel, answer })));
  await nextCheck(way, numbers, every('not_listed'));
  await firstPage(way);
  await mistakes(way);
  const code = await optOut(way, { typed, numbers, region });
  await nextCheck(way, numbers, every('suppress'));
  await nothingTwice(way, code, typed);
  await byMail(way, code);
  await onPaper(way, 'done', [code]);
  await reportACall(way, { number: numbers[0], seller: sellers[0] });
  await throughTheConsole(way, { seller: sellers[0], number: numbers[0] });
  await leaveTheDevice(way, { code, numbers });
  const guest = await comeBack(way, { numbers, code });
  await nextCheck(way, numbers, every('not_listed'));
  await messages(way, guest, numbers);
  await nothingInAddresses(way, [way.visitor, guest], { code, numbers });
  await way.visitor.leave();
  await guest.leave();
}

/** A QR code leads here: the script takes the code out of the address and into its box. */
async function byQrCode(way, code) {
  const guest = await way.newVisitor();
  await way.step('a code behind the # goes into its box, and out of the address', async () => {
    await guest.open(`/registration#${code}`);
    expectSame(await guest.values('reference'), [code], 'the box');
    expectSame(new URL(guest.page.url()).hash, '', 'what is left in the address bar');
    await guest.press('main button[type="submit"]');
    expect(await guest.page.locator('form[action="/registration/withdraw"]').isVisible(), 'it is not open');
  });
  await guest.leave();
}

/** International numbers, one company, calls only, on a desk, with scripts. */
async function onADesk(way, language) {
  await way.begin(language, DESK, { scripts: true });
  const [chosen, other] = way.registry.sellers;
  const { numbers } = AT_HOME[language];
  const typed = [numbers[0], numbers[1].replace('+', '00')];
  const code = await optOut(way, { typed, numbers, chosen });
  const answers = (answer) => [
    { seller: chosen, channel: 'voice', answer },
    { seller: chosen, channel: 'text', answer: 'not_listed' },
    { seller: other, channel: 'voice', answer: 'not_listed' },
  ];
  await nextCheck(way, numbers, answers('suppress'));
  await byMail(way, code);
  await reportACall(way, { number: numbers[0], seller: chosen });
  await byQrCode(way, code);
  const guest = await comeBack(way, { numbers, code, chosen });
  await nextCheck(way, numbers, answers('not_listed'));
  await nothingInAddresses(way, [way.visitor, guest], { code, numbers });
  await way.visitor.leave();
  await guest.leave();
}

/** A window of 1280 by 1024 at 400 %: WCAG 2.2, success criterion 1.4.10. */
async function zoomedIn(way, language) {
  await way.begin(language, PHONE, { height: 256, zoom: 4 });
  const { visitor } = way;
  const numbers = AT_HOME[language].numbers;
  await way.step('at 400 % the first page opens', () => visitor.open('/'));
  await way.look('first page');
  await optOut(way, { typed: numbers, numbers });
  const [seller] = way.registry.sellers;
  await nextCheck(way, numbers, [{ seller, channel: 'voice', answer: 'suppress' }]);
  await reportACall(way, { number: numbers[0], seller });
  for (const [path, name] of [['/registration', 'registration'], ['/report', 'report a call']]) {
    await way.step(`at 400 % ${path} opens`, () => visitor.open(path));
    await way.look(name);
    await way.step('every control can be reached and seen', async () => {
      const controls = visitor.page.locator('main :is(a, button, input, select, textarea):visible');
      for (const control of await controls.all()) {
        await control.scrollIntoViewIfNeeded();
        const { x, width } = await control.boundingBox();
        expect(x >= 0 && x + width <= PHONE, `${await control.getAttribute('id')} is cut off`);
      }
    });
  }
  await way.step('what was registered for this is taken back', async () => {
    await visitor.open('/registration');
    await visitor.press('form[action="/registration/withdraw"] button');
  });
  await visitor.leave();
}

function languagesDiffer(way) {
  way.label = 'all languages';
  return way.step('no page has the same title in two languages', () => {
    for (const [name, titles] of way.titles) {
      const found = new Set(titles.values());
      expectSame(found.size, LANGUAGES.length, `titles of "${name}" (${[...found].join(', ')})`);
    }
  });
}

async function main() {
  const address = process.argv[2]?.replace(/\/$/, '');
  const key = process.env.METRUST_KEY;
  if (!address || !key) {
    console.error('usage: METRUST_KEY=an operator\'s key node pages.mjs http://127.0.0.1:8080');
    return false;
  }
  const steps = new Steps();
  let browser;
  try {
    const registry = new Registry(address, key);
    await steps.run('companies, an agency and a key are made', () => registry.prepare());
    browser = await steps.run('Chromium starts', start);
    console.log(`        version ${browser.version()}`);
    const way = new Way(steps, browser, registry, address);
    for (const language of LANGUAGES) await onAPhone(way, language);
    for (const language of LANGUAGES) await onADesk(way, language);
    for (const language of LANGUAGES) await zoomedIn(way, language);
    await languagesDiffer(way);
    return steps.end();
  } catch (problem) {
    return steps.end(problem);
  } finally {
    await browser?.close();
  }
}

process.exitCode = (await main()) ? 0 : 1;
