// Which tab is open. The address keeps it (#gallery), so back, reload and links work.

/**
 * @param {string[]} names the tabs, in order; the first is where one starts
 * @param {(room: string) => void} onEnter
 */
export function createRooms(names, onEnter) {
  const wanted = () => {
    const name = location.hash.slice(1);
    return names.includes(name) ? name : names[0];
  };

  function enter() {
    const room = wanted();
    document.documentElement.dataset.room = room;
    for (const tab of document.querySelectorAll("[data-tab]")) {
      if (tab.dataset.tab === room) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    onEnter(room);
  }

  addEventListener("hashchange", enter);
  return {
    enter,
    /** @param {string} room */
    go(room) {
      if (wanted() !== room) location.hash = room;
    },
    get current() {
      return wanted();
    },
  };
}
