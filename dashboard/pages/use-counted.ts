import { useEffect } from "preact/hooks";
import { Counted } from "../counted.ts";
import { figures } from "../live.ts";

/** Reads counts over hours again when the stream's figures change, not by a timer, and only while the page is visible. */
export function useCounted(reload: () => void): void {
  useEffect(() => {
    const counted = new Counted(figures.value, Date.now());
    return figures.subscribe((now) => {
      if (!document.hidden && counted.isDue(now, Date.now())) reload();
    });
  }, []);
}
