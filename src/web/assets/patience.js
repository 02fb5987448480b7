// Does the piece of work that the form asks for, so that nobody has to wait: finds a number with
// which the SHA-256 of what was asked begins with enough zero bits. Without it, waiting does too.
(async () => {
  const asked = document.getElementById('patience');
  const work = document.getElementById('work');
  if (!asked || !work || !globalThis.crypto?.subtle) return;
  const bits = Number(asked.dataset.bits);
  const text = new TextEncoder();
  for (let number = 0; work.value === ''; number += 1) {
    const hash = await crypto.subtle.digest('SHA-256', text.encode(`${asked.value}:${number}`));
    if (Math.clz32(new DataView(hash).getUint32(0)) >= bits) work.value = String(number);
  }
})();
