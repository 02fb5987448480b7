// The service as its operator and a dialler see it: what the pages did, seen from the other side.

import { expect, expectSame } from './steps.mjs';

/** The API, with an operator's key. */
export class Registry {
  #address;
  #operator;
  #dialler;

  constructor(address, operatorKey) {
    this.#address = address;
    this.#operator = operatorKey;
  }

  /**
   * Makes two companies and an agency that dials for both, under names no other run has, and a key
   * for its dialler. The names hold what HTML and narrow screens find hard; for pictures they are plain.
   */
  async prepare({ plain = false } = {}) {
    const run = Date.now().toString(36);
    const names = plain
      ? ['Example Telecom', 'Example Energy']
      : [`Énergie & Wärme <${run}>`, `Spaarbankverzekeringsmaatschappij ${run}`];
    this.sellers = [
      { id: `light-${run}`, name: names[0] },
      { id: `bank-${run}`, name: names[1] },
    ];
    for (const seller of this.sellers) await this.#admin('sellers', seller);
    const agency = { id: `calls-${run}`, name: 'Browser Calls', sellers: this.sellers.map((s) => s.id) };
    await this.#admin('agencies', agency);
    const made = await this.#admin('keys', { role: 'dialler', agency: agency.id });
    this.#dialler = made.key;
  }

  get operatorKey() {
    return this.#operator;
  }

  /** A new key of a role. */
  async keyOf(role) {
    return (await this.#admin('keys', role)).key;
  }

  /** What the very next check answers for each number. */
  async answers(numbers, seller, channel = 'voice') {
    const body = { seller: seller.id, channel, numbers };
    const answer = await this.#post('/v1/checks', this.#dialler, body, 200);
    expectSame(answer.results.map((row) => row.phone), numbers, 'the numbers that the check repeats');
    return answer.results.map((row) => row.answer);
  }

  /** How many opt-outs the audit holds. */
  async registrations() {
    const answer = await this.#fetch('/v1/audit/entries?op=register', this.#operator);
    const text = await answer.text();
    expect(answer.status === 200, `the audit answers ${answer.status}: ${text}`);
    return text.split('\n').filter((line) => line !== '').length;
  }

  #admin(what, body) {
    return this.#post(`/v1/admin/${what}`, this.#operator, body, 201);
  }

  async #post(path, key, body, status) {
    const options = { method: 'POST', body: JSON.stringify(body) };
    const answer = await this.#fetch(path, key, options, { 'content-type': 'application/json' });
    const text = await answer.text();
    expect(answer.status === status, `POST ${path} answers ${answer.status}: ${text}`);
    return JSON.parse(text);
  }

  #fetch(path, key, options = {}, headers = {}) {
    const all = { ...headers, authorization: `Bearer ${key}` };
    return fetch(`${this.#address}${path}`, { ...options, headers: all });
  }
}
