// The console: what sellers, the regulator and the operator see of a call that was reported.

import { expect, expectSame } from './steps.mjs';

const enter = 'main button[name="action"][value="enter"]';
const onBehalf = 'main form[action="/console/on-behalf"] button.main';

/** Opens each page of the console with each kind of key. A report for `seller` must be there. */
export async function throughTheConsole(way, { seller, number }) {
  const guest = await way.newVisitor();
  const { page } = guest;
  await way.step('the console asks for a key', () => guest.open('/console'));
  await way.look('console', guest);
  await way.step('a wrong key is refused', async () => {
    await page.fill('#key', 'mtr_live_nothing');
    await guest.press(enter, /^4\d\d$/);
  });
  await way.look('console, wrong key', guest);
  const signIn = (key) =>
    way.step('a key opens it', async () => {
      await guest.open('/console');
      await page.fill('#key', key);
      await guest.press(enter);
    });
  const signOut = (secrets = []) =>
    way.step('the way out, and nothing is left behind', async () => {
      await guest.press('form[action="/console/leave"] button');
      await guest.expectNothingBehind(secrets, secrets.length ? 3 : 0);
    });
  await signIn(await way.registry.keyOf({ role: 'seller', seller: seller.id }));
  await way.look('reports of a company', guest);
  await way.step('a report opens', () => guest.press('main a[href^="/console/reports/"] >> nth=0'));
  await way.look('a report to answer', guest);
  await way.step('an answer is sent', async () => {
    await page.fill('main textarea', 'Het spijt ons. We bellen u niet meer.');
    await guest.press('main form[action^="/console/reports/"] button.main');
    expect((await guest.text()).includes('Het spijt ons.'), 'the answer is not shown');
  });
  await way.look('a report that was answered', guest);
  await way.step('the call centres', () => guest.open('/console/agencies'));
  await way.look('call centres of a company', guest);
  await way.step('the reports again', () => guest.open('/console/reports'));
  await signOut([number.slice(3)]);
  await signIn(await way.registry.keyOf({ role: 'regulator' }));
  await way.look('reports for the regulator', guest);
  await way.step('the figures', () => guest.open('/console/figures'));
  await way.look('figures', guest);
  await signOut();
  await signIn(way.registry.operatorKey);
  await way.look('overview', guest);
  await way.step('helping a person', () => guest.open('/console/on-behalf'));
  await way.look('on behalf', guest);
  await way.step('what is wrong is said', async () => {
    await page.fill('#numbers', '0475');
    await guest.press(onBehalf, 422);
    expect((await page.inputValue('#numbers')).includes('0475'), 'what was typed is gone');
  });
  await way.look('on behalf, what is wrong', guest);
  await way.step('a person is helped', async () => {
    // A number of nobody else here, who is not asked about again.
    await page.fill('#numbers', '+32 475 99 88 77');
    await page.fill('#reason', 'asked by letter');
    await guest.press(onBehalf);
    expectSame(guest.path(), '/console/on-behalf/done', 'where it leads');
  });
  const code = await way.step('the code is there to hand over', () => guest.code());
  await way.look('on behalf, done', guest);
  await way.step('the person takes it back', async () => {
    const person = await way.newVisitor();
    await person.open('/registration');
    await person.page.fill('input[name="reference"]', code);
    await person.press('main button[type="submit"]');
    await person.press('form[action="/registration/withdraw"] button');
    await person.leave();
  });
  await signOut();
  await guest.leave();
}
