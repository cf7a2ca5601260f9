import { t } from "./messages.ts";

/**
 * The page consists of several programs, each loaded when it is first needed. Their names change with their content, and an
 * upgrade of the server removes the former: a page that was open at that time cannot get the rest of its version.
 */

const KEPT = "reloaded";

/** What the browser does for it. `store` null: this browser keeps nothing. */
type Around = Readonly<{
  store: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
  answers: () => Promise<boolean>;
  reload: () => void;
}>;

/** Returns what `load` imports. If that is missing but the server answers, reloads the page once and never resolves; otherwise throws a sentence. */
export async function loaded<T>(load: () => Promise<T>, around: Around = here()): Promise<T> {
  const { store, answers, reload } = around;
  try {
    const got = await load();
    store?.removeItem(KEPT);
    return got;
  } catch (cause) {
    if (!(await answers())) throw new Error(t.live.unreachable, { cause });
    if (store === null || store.getItem(KEPT) !== null) throw new Error(t.live.outdated, { cause });
    store.setItem(KEPT, "yes");
    reload();
    return new Promise(() => {});
  }
}

/** Whether the page was reloaded because a part was missing. */
export function wasReloaded({ store }: Pick<Around, "store"> = here()): boolean {
  return store !== null && store.getItem(KEPT) !== null;
}

function here(): Around {
  return {
    store: stored(),
    answers: () =>
      fetch("healthz/live", { cache: "no-store" }).then(
        ({ ok }) => ok,
        () => false,
      ),
    reload: () => location.reload(),
  };
}

/** A browser that keeps nothing throws. */
function stored(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
