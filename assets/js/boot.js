// Runs before anything is drawn: language and theme, as the visitor left them or as the browser has them.
(() => {
  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is switched off: the page then follows the browser
    }
  };
  const browser = navigator.languages?.[0] ?? navigator.language ?? "en";
  const language = kept("studio.language") ?? (/^zh/i.test(browser) ? "zh-CN" : "en");
  // Gradio takes its language from the navigator; a stored choice has to stand there.
  for (const [name, value] of [["language", language], ["languages", [language]]]) {
    Object.defineProperty(navigator, name, { get: () => value, configurable: true });
  }
  // What the server says, it says in the page's language; without cookies, in the browser's.
  document.cookie = `studio_language=${language}; Path=/; Max-Age=31536000; SameSite=Lax`;
  const root = document.documentElement;
  root.lang = language;
  root.dataset.theme =
    kept("studio.theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  window.studioReady = new Promise((resolve) => {
    window.studioIsReady = resolve;
  });
})();
