// Pages on paper: what is printed, and what is not.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, expectSame } from './steps.mjs';

/** Prints the page of the way's visitor: it holds these texts, fits on few sheets, has no buttons. */
export async function onPaper(way, name, texts) {
  const { page } = way.visitor;
  await way.step(`on paper, "${name}" has what counts, and no buttons`, async () => {
    await page.emulateMedia({ media: 'print' });
    const buttons = page.locator('button:visible, .languages a:visible, .button:visible');
    expectSame(await buttons.count(), 0, 'buttons and languages on paper');
    const folder = mkdtempSync(join(tmpdir(), 'metrust-paper-'));
    try {
      const path = join(folder, 'page.pdf');
      await page.pdf({ path, format: 'A4' });
      const flat = (text) => text.replace(/[\s\u00a0-]/g, '');
      const printed = flat(execFileSync('pdftotext', [path, '-'], { encoding: 'utf8' }));
      for (const text of texts) expect(printed.includes(flat(text)), `"${text}" is not printed`);
      const sheets = Number(/Pages:\s+(\d+)/.exec(execFileSync('pdfinfo', [path], { encoding: 'utf8' }))[1]);
      expect(sheets <= 2, `it takes ${sheets} sheets`);
    } finally {
      rmSync(folder, { recursive: true });
      await page.emulateMedia({ media: 'screen' });
    }
  });
}
