import type { Lab } from "../test/lab/lab.ts";
import type { Programs } from "./guard.ts";
import type { Row } from "./result.ts";

export type Bench = Readonly<{
  lab: Lab;
  programs: Programs;
  /** Fewer and shorter runs. */
  quick: boolean;
  /** One line of progress. */
  say: (line: string) => void;
}>;

/** One of the things that are measured. */
export type Part = Readonly<{ name: string; says: string; run: (bench: Bench) => Promise<readonly Row[]> }>;
