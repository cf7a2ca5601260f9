import { useEffect } from "preact/hooks";
import { Counted } from "../counted.ts";
import { figures } from "../live.ts";

/** Reads again what is counted over hours. The stream's figures tell when, so no clock asks; not while nobody looks. */
export function useCounted(reload: () => void): void {
  useEffect(() => {
    const counted = new Counted(figures.value, Date.now());
    return figures.subscribe((now) => {
      if (!document.hidden && counted.isDue(now, Date.now())) reload();
    });
  }, []);
}
