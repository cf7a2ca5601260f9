/**
 * A function that runs in the page and remembers combinations of colour, size and background of text. Returns whether one is new in
 * this colour scheme. Contrast depends only on these, because a text's background is always its container's.
 * Ignores what axe does not judge: disabled elements and texts of one character.
 */
export const HAS_NEW_COLOURS = `(scheme) => {
  const OFF = ":disabled, [aria-disabled=true]";
  const CLEAR = "rgba(0, 0, 0, 0)";
  const isShown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.closest(".skip:not(:focus)") === null;
  const isOff = (one) => one.closest(OFF) !== null || one.closest("label")?.control?.matches(OFF) === true;

  const grounds = new Map();
  const groundOf = (one) => {
    if (one === null) return "";
    if (!grounds.has(one)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(one);
      const own = [backgroundColor, backgroundImage, opacity].join(" ");
      const isSolid = backgroundColor.startsWith("rgb(") && opacity === "1";
      if (isSolid) grounds.set(one, own);
      else grounds.set(one, (own === CLEAR + " none 1" ? "" : own + " on ") + groundOf(one.parentElement));
    }
    return grounds.get(one);
  };
  const shown = new Set();
  const note = (one) => {
    const { color, fontSize, fontWeight } = getComputedStyle(one);
    shown.add([color, fontSize, fontWeight, groundOf(one)].join(" "));
  };
  const holders = new Set(document.querySelectorAll("input, select, textarea"));
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (data.trim().length > 1 && parentElement.closest("select") === null) holders.add(parentElement);
  }
  for (const one of holders) if (isShown(one) && !isOff(one)) note(one);

  const place = "colours that were shown, " + scheme;
  const known = new Set(JSON.parse(localStorage.getItem(place) ?? "[]"));
  const isNew = [...shown].some((one) => !known.has(one));
  if (isNew) localStorage.setItem(place, JSON.stringify([...new Set([...known, ...shown])]));
  return isNew;
}`;
