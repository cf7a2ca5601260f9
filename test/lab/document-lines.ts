import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";

/** The two documents that the project started from, word for word. */
type Document = "ghostinbox" | "investra";

/** Commands and settings of an original document: its code blocks without comments and blank lines. */
export function documentLines(document: Document) {
  const text = readFileSync(join(CHECKOUT, "test", "documents", `${document}.md`), "utf8");
  const blocks = [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, block = ""]) => block);
  const lines = blocks.flatMap((block) => block.split("\n").map((line) => line.trim()));
  const left = lines.filter((line) => line !== "" && !/^(?:#|\/\/)/.test(line));
  const all = left.length;

  /** Takes `count` lines as printed, from the next one that starts with this. */
  const take = (start: string, count = 1): readonly string[] => {
    const at = left.findIndex((line) => line.startsWith(start));
    assert.notEqual(at, -1, `${document}.md has no more line: ${start}`);
    return left.splice(at, count);
  };
  return {
    take,

    /** Types the next line that starts with this. */
    typed: async <T>(start: string, type: (line: string) => Promise<T>): Promise<T> => {
      const [line = ""] = take(start);
      return type(line);
    },

    /** A line that differs here; the new page says why. */
    explained: (start: string, page: string, says: RegExp): string => {
      const [line = ""] = take(start);
      assert.match(readFileSync(join(CHECKOUT, "docs", page), "utf8").replaceAll("\n", " "), says);
      return line;
    },

    /** Prints how many lines were typed; fails unless all were. */
    finish: (): void => {
      console.log(`docs of ${document}: ${all - left.length} of ${all} lines`);
      assert.deepEqual(left, [], "lines that nothing has typed");
    },
  };
}
