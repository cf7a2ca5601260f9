import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { installed } from "../../../test/kit/needs.ts";

const SECURITY = fileURLToPath(new URL("../../../security", import.meta.url));
const NEEDS = installed("python3");

/** What `security/spam_view.py` prints for this program. */
function python(...lines: readonly string[]): string {
  const program = ["import sys, time", `sys.path.insert(0, ${JSON.stringify(SECURITY)})`, "import spam_view", ...lines];
  return execFileSync("python3", ["-I", "-B", "-c", program.join("\n")], { encoding: "utf8" }).trim();
}

test("a part starts after its delimiter, in any form that mailers write, and after no other dashes", NEEDS, () => {
  const said = python(
    `header = b'Content-Type: multipart/mixed; boundary=\\r\\n "a b"\\r\\nX: boundary=c\\n'`,
    `for line in (b"--a b", b"--a b--", b"--c \\t", b"--c--\\r", b"--c-", b"--x", b"--", b" --c"):`,
    `    parts = spam_view.Parts(header, 1000)`,
    `    parts.add(b"text\\n" + line + b"\\nX-Field: x\\n\\ntext\\n")`,
    `    print(parts.count, end=" ")`,
  );
  assert.equal(said, "1 1 1 1 0 0 0 0");
});

test("the time to read a body does not grow with the boundaries that its header names", NEEDS, () => {
  const said = python(
    `start = b"a" * 1900`,
    `header = b"X: boundary=z\\n" + b"".join(b"X: boundary=%s%d\\n" % (start, n) for n in range(100))`,
    `body = (b"--" + start + b"\\n") * 300`,
    `spam_view.body_of([body], len(body), header, 16 * 1024)`,
    `print(time.process_time())`,
  );
  assert.ok(Number(said) < 1, `${said} s`);
});
