// A person with a browser: real Chromium, scripts switched off unless said otherwise, and an eye on
// everything that a page should not do.

import { existsSync } from 'node:fs';

import axe from 'axe-core';
import { HtmlValidate } from 'html-validate';
import { chromium } from 'playwright-core';

import { expect, expectSame } from './steps.mjs';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

// No sandbox: a container has no room for one, and the only pages opened are our own.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// A guess of Chromium's autofill about the country field's id, which carries no autocomplete value.
const GUESS = 'FormInputAssignedAutocompleteValueToIdOrNameAttributeError';

// The recommended rules, but for some that are about taste or about templates.
const build = new HtmlValidate({
  extends: ['html-validate:recommended'],
  rules: {
    // Where a template leaves a blank at the end of a line is of no concern to anybody.
    'no-trailing-whitespace': 'off',
    // The title is the page's heading and the name of the register, as long as they are.
    'long-title': 'off',
    // Several numbers are several fields of one name, and so are several companies.
    'form-dup-name': 'off',
    // A phone number in a hint is not one to call, and its blanks are kept together already.
    'tel-non-breaking': 'off',
  },
});

/** Starts the Chromium that CHROMIUM names, or the one of the system. */
export function start() {
  const executablePath = process.env.CHROMIUM ?? PLACES.find(existsSync);
  expect(executablePath, 'no Chromium found: install the package chromium, or name it in CHROMIUM');
  return chromium.launch({
    executablePath,
    args: FLAGS,
    // As people have it: the browser keeps pages in memory for Back.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    env: { ...process.env, LANG: 'C.UTF-8' },
  });
}

/** One person: an empty cookie jar, one page, a language and a width. */
export class Visitor {
  /** Everything seen that no page may do. */
  problems = [];
  /** Every address that was asked for. */
  addresses = [];
  /** The language that the pages must be in. */
  language;
  #devtools;
  #scripted;
  /** The page as it was sent. */
  #source;
  #origin;

  static async arrive(browser, { address, language, width, height, zoom = 1, scripts = false }) {
    const context = await browser.newContext({
      locale: language,
      viewport: { width, height: height ?? (width < 600 ? 640 : 800) },
      deviceScaleFactor: zoom,
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(20_000);
    const visitor = new Visitor();
    visitor.context = context;
    visitor.language = language;
    visitor.#origin = new URL(address).origin;
    visitor.page = await context.newPage();
    visitor.#devtools = await context.newCDPSession(visitor.page);
    // By this session and not by Playwright's own, so that the auditor can be let in later.
    visitor.#scripted = scripts;
    await visitor.#scripts(scripts);
    await visitor.#watch();
    return visitor;
  }

  async leave() {
    await this.context.close();
  }

  #scripts(allowed) {
    return this.#devtools.send('Emulation.setScriptExecutionDisabled', { value: !allowed });
  }

  async #watch() {
    const { page, problems, addresses } = this;
    page.on('request', (request) => {
      const url = request.url();
      addresses.push(url);
      const inside = url.startsWith(`${this.#origin}/`) || url.startsWith('data:');
      if (!inside) problems.push(`a request to another host: ${url}`);
    });
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText;
      // Whoever goes on before the icon has come is not sent it any more: the browser's own choice.
      // A file that is saved is a page that was never opened.
      const saved = /\.(csv|zip)$/.test(request.url());
      const left = why === 'net::ERR_ABORTED' && (saved || !request.isNavigationRequest());
      if (!left) problems.push(`a request failed: ${request.url()}: ${why}`);
    });
    page.on('response', (response) => {
      const part = !response.request().isNavigationRequest();
      if (part && response.status() >= 400) problems.push(`${response.status()} for ${response.url()}`);
    });
    page.on('console', (message) => {
      // A page that reports a mistake has such a status on purpose; each step states which.
      const status = message.text().startsWith('Failed to load resource: the server responded');
      if (['error', 'warning'].includes(message.type()) && !status) {
        problems.push(`the console says: ${message.text()}`);
      }
    });
    page.on('pageerror', (error) => problems.push(`a script failed: ${error.message}`));
    this.#devtools.on('Audits.issueAdded', ({ issue }) => {
      const details = JSON.stringify(issue.details);
      if (!details.includes(GUESS)) problems.push(`${issue.code}: ${details}`);
    });
    await this.#devtools.send('Audits.enable');
  }

  /** Proves that scripts are off: a page that would rename itself does not. */
  async provesThatScriptsAreOff() {
    await this.page.goto('data:text/html,<!doctype html><title>off</title><script>document.title="on"</script>');
    expectSame(await this.page.title(), 'off', 'a script in a page');
  }

  /** Opens an address of the service, expecting a status. */
  async open(path, status = 200) {
    const response = await this.page.goto(this.#origin + path);
    this.#source = await response.text();
    expectSame(response.status(), status, `the status of ${path}`);
  }

  /** Does something that loads a page, expecting its status. */
  async go(action, status = 200) {
    const loaded = this.page.waitForResponse(
      (response) => response.request().isNavigationRequest() && ![302, 303].includes(response.status()),
    );
    const [response] = await Promise.all([loaded, action()]);
    await this.page.waitForLoadState();
    this.#source = await response.text();
    const fits = status instanceof RegExp ? status.test(response.status()) : status === response.status();
    expect(fits, `${this.path()} answers ${response.status()}, expected ${status}: ${await this.text()}`);
  }

  /** The back button, to a page that is kept in memory or asked for anew. */
  async back() {
    await this.page.goBack({ waitUntil: 'commit' });
    await this.page.waitForLoadState();
    this.#source = undefined;
  }

  /** Fails if one of these texts stands on any of the pages that Back leads to. */
  async expectNothingBehind(secrets, steps = 4) {
    for (let step = 1; step <= steps; step += 1) {
      await this.back();
      const found = (await this.page.content()).replace(/[\s\u00a0-]|<[^>]*>/g, '');
      for (const secret of secrets) {
        expect(!found.includes(secret.replaceAll('-', '')), `${step} back, ${this.path()} shows ${secret}`);
      }
    }
  }

  /** Presses the button or follows the link that `selector` finds. */
  press(selector, status = 200) {
    return this.go(() => this.page.locator(selector).click(), status);
  }

  /** Ticks or unticks the choice that `selector` finds, where people do it: on its label. */
  async tick(selector, wanted = true) {
    const choice = this.page.locator(selector);
    if ((await choice.isChecked()) !== wanted) {
      await this.page.locator(`label[for="${await choice.getAttribute('id')}"]`).click();
    }
    expectSame(await choice.isChecked(), wanted, `whether ${selector} is ticked`);
  }

  /** The path that stands in the address bar. */
  path() {
    return new URL(this.page.url()).pathname;
  }

  /** What a reader sees of the page. */
  text() {
    return this.page.locator('main').innerText();
  }

  /** The digits that a reader sees, all run together. */
  async digits() {
    return (await this.text()).replace(/\D/g, '');
  }

  /** The values in all fields of a name. */
  values(name) {
    return this.page.locator(`input[name="${name}"]`).evaluateAll((all) => all.map((one) => one.value));
  }

  /** The values of the ticked boxes of a name. */
  ticked(name) {
    const boxes = this.page.locator(`input[name="${name}"]:checked`);
    return boxes.evaluateAll((all) => all.map((one) => one.value));
  }

  /** The id of what has the focus. */
  focused() {
    return this.page.evaluate(() => document.activeElement?.id || document.activeElement?.className || '');
  }

  /** The reference code that the page shows. */
  async code() {
    const found = (await this.page.locator('main').textContent()).match(/[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/);
    expect(found, `no code on ${this.path()}`);
    return found[0];
  }

  /** Looks a page over: language, build, width, accessibility, and what was seen meanwhile. */
  async look() {
    const seen = await this.page.evaluate(() => ({
      language: document.documentElement.lang,
      title: document.title,
      headings: document.querySelectorAll('h1').length,
      scripts: document.querySelectorAll('script').length,
      placeholders: document.body.innerText.match(/\{\w*\}/g) ?? [],
      width: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      sticking: [...document.querySelectorAll('main *, header *, footer *')]
        .filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 80)),
    }));
    expectSame(seen.language, this.language, 'the language of the page');
    expect(seen.title.trim() !== '', 'the page has no title');
    expectSame(seen.headings, 1, 'first-level headings');
    if (this.path() !== '/registration') expectSame(seen.scripts, 0, 'scripts in the page');
    expectSame(seen.placeholders, [], 'placeholders left in the text');
    expect(seen.width <= 0, `the page scrolls sideways by ${seen.width} pixels`);
    expectSame(seen.sticking, [], 'parts that stick out to the right');
    await this.#validate();
    await this.#axe();
    this.expectNoProblems();
    return seen.title;
  }

  /** How the page is built, by the rules of HTML. */
  async #validate() {
    if (!this.#source) return;
    const { results } = await build.validateString(this.#source, `${this.path()}.html`);
    const found = results.flatMap((result) => result.messages);
    const lines = found.map((one) => `  ${one.ruleId} at ${one.line}:${one.column}: ${one.message}`);
    expectSame(lines, [], `what html-validate finds on ${this.path()}`);
  }

  /** Fails if the browser had anything to object to so far. */
  expectNoProblems() {
    expectSame(this.problems, [], 'what the browser objects to');
  }

  /** Every rule in light colours, and contrast once more in dark ones. */
  async #axe() {
    await this.#scripts(true);
    await this.page.evaluate(`${axe.source}; 0`);
    const options = { rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] };
    const contrast = { runOnly: { type: 'rule', values: ['color-contrast'] }, resultTypes: ['violations'] };
    const found = [];
    for (const [colorScheme, rules] of [['dark', contrast], ['light', options]]) {
      await this.page.emulateMedia({ colorScheme });
      const { violations } = await this.page.evaluate((chosen) => globalThis.axe.run(document, chosen), rules);
      for (const { id, help, nodes } of violations) {
        const places = nodes.map((node) => `    ${node.html}\n    ${node.failureSummary}`);
        found.push(`${id} (${colorScheme}): ${help}\n${places.join('\n')}`);
      }
    }
    await this.#scripts(this.#scripted);
    expect(found.length === 0, `axe finds on ${this.path()}:\n${found.join('\n')}`);
  }
}
