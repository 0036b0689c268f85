// Before anything is drawn: the theme that was chosen on this device, so that no page flashes in the other one.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* Storage may be forbidden: the system's theme stands. */ }
  document.documentElement.classList.add("scripted");
})();
