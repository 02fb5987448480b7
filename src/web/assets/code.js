// Takes the code that a QR code carries behind the # of the address, puts it into the box, and
// wipes it from the address bar. No server ever sees that part of an address. Without this script
// people type the code.
'use strict';
(() => {
  const take = () => {
    const box = document.getElementById('reference');
    const code = location.hash.slice(1);
    if (!box || !/^[0-9A-Za-z]{4}(-?[0-9A-Za-z]{4}){3}$/.test(code)) return;
    box.value = code;
    history.replaceState(null, '', location.pathname + location.search);
    box.focus();
  };
  addEventListener('hashchange', take);
  take();
})();
