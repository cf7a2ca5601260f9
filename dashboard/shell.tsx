import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { request } from "./api.ts";
import { attempt, holdToasts, signedIn, toasts, undoLast, undoOf } from "./attempt.ts";
import { hourAndMinute, windowTitle } from "./format.ts";
import { health, liveness } from "./live.ts";
import { t } from "./messages.ts";
import { Button, SafeText, State } from "./parts.tsx";
import { go, hrefOf, PAGES, type PageName, type Query, route } from "./route.ts";

type ShellProps = Readonly<{ children: ComponentChildren; isOfMailbox?: boolean }>;

export function Shell({ children, isOfMailbox = false }: ShellProps) {
  const main = useRef<HTMLElement>(null);
  useKeptFocus();
  const skip = (event: Event): void => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <div class={isOfMailbox ? "shell single" : "shell"}>
      <a class="skip" href="#main" onClick={skip}>
        {t.skip}
      </a>
      <header>
        <a class="brand" href={hrefOf(isOfMailbox ? "me" : "now")}>
          <img src="icon.svg" alt="" width="28" height="28" />
          <span>GhostInbox</span>
        </a>
        {isOfMailbox ? <span class="spacer" /> : <LiveStatus />}
        <Button text={t.signOut} class="quiet" onClick={signOut} />
      </header>
      {!isOfMailbox && <Navigation />}
      <main ref={main} id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function signOut(): void {
  attempt(async () => {
    await request("POST /logout");
    signedIn.value = "no";
    go("now", {}, "replace");
  });
}

function Navigation() {
  return (
    <nav aria-label={t.nav.label}>
      {PAGES.map((name) => (
        <a key={name} href={hrefOf(name)} aria-current={route.value.page === name ? "page" : undefined}>
          <Icon name={name} />
          <span>{t.nav[name]}</span>
        </a>
      ))}
    </nav>
  );
}

function LiveStatus() {
  const now = liveness.value;
  const status = health.value?.status;
  const words = t.live;
  const says = now.kind === "silent" ? words.silent(hourAndMinute(now.since)) : words[now.kind];
  const shape = ({ silent: "down", live: "ok", connecting: "degraded" } as const)[now.kind];
  return (
    <div class="live" role="status">
      {status !== undefined && now.kind !== "silent" && status !== "ok" && (
        <a class="plain-link" href={hrefOf("system")}>
          <State status={status} />
        </a>
      )}
      <State status={shape}>{says}</State>
    </div>
  );
}

/** The page's own heading, which is focused when the page opens. `title`: of the window. */
export function Heading({ children, title = children }: Readonly<{ children: string; title?: string }>) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Runs before the page is painted: the link that led here is gone, and a key pressed before the next frame would go nowhere.
  useLayoutEffect(() => {
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, []);
  useEffect(() => {
    document.title = windowTitle(title);
  }, [title]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

export function openPage(page: PageName, query: Query): void {
  go(page, query);
  focusHeading();
  scrollTo(0, 0);
}

function focusHeading(): void {
  document.querySelector("h1")?.focus({ preventScroll: true });
}

/**
 * If the focused element is removed or disabled, moves the focus to its row or, if that is gone too, the next row, the one before, the card
 * or list, or the page's heading. Does nothing if the removed part moved the focus itself.
 */
function useKeptFocus(): void {
  useEffect(() => {
    let last: Element | null = null;
    let near: readonly (Element | null | undefined)[] = [];
    const note = ({ target }: FocusEvent): void => {
      last = target instanceof Element ? target : null;
      const row = last?.closest("li");
      const around = last?.closest(".card, .rows[aria-label]");
      near = [row, row?.nextElementSibling, row?.previousElementSibling, around];
    };
    // A reader who presses on a place without a control has left the last control.
    const forget = (): void => void (last = null);
    const restore = (): void => {
      if (last === null || (last.isConnected && !last.matches(":disabled"))) return;
      last = null;
      const hasNone = (): boolean => document.activeElement === document.body;
      const take = (): void => {
        for (const one of near)
          if (hasNone() && one instanceof HTMLElement && one.isConnected) {
            one.tabIndex = -1;
            one.focus({ preventScroll: true });
          }
        // An empty list is not displayed.
        if (hasNone()) focusHeading();
      };
      // The effects of the current rendering come first.
      requestAnimationFrame(() => setTimeout(() => setTimeout(take)));
    };
    const changes = new MutationObserver(restore);
    changes.observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    document.addEventListener("focusin", note);
    document.addEventListener("pointerdown", forget);
    return () => {
      changes.disconnect();
      document.removeEventListener("focusin", note);
      document.removeEventListener("pointerdown", forget);
    };
  }, []);
}

/** Messages. The latest undo also has the usual key for undo, except in a field. */
export function Toasts() {
  const list = useRef<HTMLDivElement>(null);
  const hasMoved = useRef(false);
  const all = toasts.value;
  const update = (): void => {
    const element = list.current;
    if (element === null) return;
    hasMoved.current &&= element.matches(":hover");
    holdToasts(all.length > 0 && (hasMoved.current || element.contains(document.activeElement)));
  };
  // A pointer that was there before the message does not point at it, nor does a finger after a touch.
  const move = ({ pointerType }: PointerEvent): void => {
    hasMoved.current = pointerType !== "touch";
    update();
  };
  useEffect(update, [all]);
  useEffect(() => {
    window.addEventListener("keydown", undoByKey);
    return () => window.removeEventListener("keydown", undoByKey);
  }, []);
  return (
    <div
      ref={list}
      class="toasts"
      role="status"
      aria-live="polite"
      onPointerMove={move}
      onPointerLeave={update}
      onFocusIn={update}
      onFocusOut={update}
    >
      {all.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <span aria-hidden="true">{toast.tone === "good" ? "✓" : "✕"}</span>
          <SafeText text={toast.text} lang={toast.lang} />
          {toast.undo !== null && (
            <button type="button" aria-keyshortcuts="Control+Z" onClick={() => undoOf(toast)}>
              {t.undo} <kbd aria-hidden="true">{t.undoKey}</kbd>
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

/** In a field, the key undoes typing instead. */
function undoByKey(event: KeyboardEvent): void {
  const { target, key, ctrlKey, metaKey, shiftKey, altKey } = event;
  if (key.toLowerCase() !== "z" || !(ctrlKey || metaKey) || shiftKey || altKey) return;
  if (target instanceof Element && target.matches("input, select, textarea")) return;
  if (undoLast()) event.preventDefault();
}

type Named = (typeof PAGES)[number];

/** Icons on a grid of 24 by 24, each drawn with one line. */
const PATHS: Readonly<Record<Named, string>> = {
  now: "M3 12h4l3-8 4 16 3-8h4",
  events: "M4 6h2M10 6h10M4 12h2M10 12h10M4 18h2M10 18h10",
  bans: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.8 5.8l12.4 12.4",
  mail: "M3 5h18v14H3zM3 6l9 7 9-7",
  accounts:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM3 20c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5M16 5.4a3.5 3.5 0 0 1 0 6.3M17.5 14.8c2.2.7 3.5 2.5 3.5 5.2",
  find: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2 21 21",
  system: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
};

function Icon({ name }: Readonly<{ name: Named }>) {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
