/**
 * Checks of a page at each stop, as a function that runs in the page and returns the faults. Its argument says whether to try each
 * control, too. The rules:
 * - The page is not wider than the window, and no text overflows the window or its container, except where it can be scrolled.
 * - A select has room for the chosen option.
 * - Touch targets have 44 pixels (WCAG 2.2, 2.5.5). A link within text and a box whose label can be hit may be smaller.
 * - Each control can be brought into view, and nothing covers it there; the Tab key reaches it.
 * - The focus is somewhere.
 */
export const PAGE_CHECKS = `(triesControls) => {
  const TARGET = 44;
  const BOXES = "main, nav, header, dialog, section, .card, .row, .preview, .toast, .sentence, td, th, label.field";
  const TIGHT = "button, .button, .badge, .type, .tabs a, .shell > nav a";
  const HIT = "button, .button, select, summary, textarea, nav a, .kind, .figure, label:has(> input[type=checkbox]), " +
    "input:not([type=checkbox], [type=radio])" + (matchMedia("(pointer: coarse)").matches ? ", .row .address, .row .account" : "");
  const CONTROLS = "a[href], button, summary, input, select, textarea, [tabindex='0']";
  const found = [];
  const named = (one) =>
    one.tagName.toLowerCase() + " " + JSON.stringify((one.innerText || one.getAttribute("aria-label") || one.name || "").slice(0, 60));
  const modal = document.querySelector(":modal");
  const isShown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.closest(".skip:not(:focus)") === null;

  const wider = document.documentElement.scrollWidth - innerWidth;
  if (wider > 0) found.push("the page is " + wider + " px wider than the window");

  const known = new Map();
  const factsOf = (one) => {
    if (!known.has(one)) {
      const { overflowX, clipPath } = getComputedStyle(one);
      const isTight = one.matches(TIGHT);
      known.set(one, {
        box: one.getBoundingClientRect(),
        scrolls: /auto|scroll/.test(overflowX),
        isUnseen: clipPath !== "none",
        isTight,
        holds: isTight || one.matches(BOXES) || /hidden|clip/.test(overflowX),
      });
    }
    return known.get(one);
  };
  const leaves = (text, parent) => {
    for (let one = parent; one !== document.documentElement; one = one.parentElement) {
      const { box, scrolls, isUnseen, isTight, holds } = factsOf(one);
      if (scrolls || isUnseen) return null;
      if (holds && (text.left < box.left - 1 || text.right > box.right + 1)) return one;
      if (isTight && (text.top < box.top - 1 || text.bottom > box.bottom + 1)) return one;
    }
    return text.left < -1 || text.right > innerWidth + 1 ? document.body : null;
  };
  const range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { currentNode: node } = texts;
    const parent = node.parentElement;
    if (node.data.trim() === "" || parent.closest("select") !== null || !isShown(parent)) continue;
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    const left = text.width === 0 ? null : leaves(text, parent);
    if (left !== null) found.push(JSON.stringify(node.data.slice(0, 60)) + " leaves " + named(left));
  }
  const pen = document.createElement("canvas").getContext("2d");
  for (const select of document.querySelectorAll("select")) {
    if (!isShown(select)) continue;
    const style = getComputedStyle(select);
    pen.font = style.font;
    const text = select.selectedOptions[0]?.text ?? "";
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 16;
    if (pen.measureText(text).width > room) found.push("no room for " + JSON.stringify(text) + " in " + named(select));
  }

  for (const one of document.querySelectorAll(HIT)) {
    if (!isShown(one)) continue;
    const { width, height } = one.getBoundingClientRect();
    if (width > 0 && (width < TARGET - 0.5 || height < TARGET - 0.5))
      found.push(named(one) + " is " + width + "x" + height + " px");
  }

  const focused = document.activeElement;
  if (focused === document.body) found.push("the focus is lost");
  if (!triesControls) return found;
  const from = scrollY;
  for (const one of document.querySelectorAll(CONTROLS)) {
    if (!isShown(one) || one.disabled || one.closest("[inert]") !== null || (modal !== null && !modal.contains(one))) continue;
    if (one.tabIndex < 0) found.push("the Tab key does not reach " + named(one));
    const middle = () => {
      const { left, top, width, height } = one.getClientRects()[0] ?? { left: 0, top: 0, width: 0, height: 0 };
      return { x: left + width / 2, y: top + height / 2 };
    };
    const over = () => {
      const { x, y } = middle();
      const at = document.elementFromPoint(x, y);
      if (at === null) return "the window's edge";
      return one.contains(at) || at.closest("label")?.contains(one) ? null : named(at);
    };
    if (over() === null) continue;
    one.scrollIntoView({ block: "center", behavior: "instant" });
    if (over() !== null) one.scrollIntoView({ block: "start", behavior: "instant" });
    if (over() !== null) found.push(named(one) + " is covered by " + over());
  }
  scrollTo({ top: from, behavior: "instant" });
  return found;
}`;
