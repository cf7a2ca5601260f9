import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Matrix, qrOf } from "./qr.ts";

const FINDER = ["#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"];

function matrixOf(text: string): Matrix {
  return qrOf(text) ?? assert.fail("too long");
}

function printed(matrix: Matrix): readonly string[] {
  return matrix.map((row) => row.map((dark) => (dark ? "#" : " ")).join(""));
}

/** The 15 bits beside the finder at the top left, the most significant first. */
function formatOf(matrix: Matrix): number {
  const at = (x: number, y: number): number => Number(matrix[y]?.[x] ?? assert.fail());
  const places = [
    ...[0, 1, 2, 3, 4, 5, 7, 8].map((x) => [x, 8] as const),
    ...[7, 5, 4, 3, 2, 1, 0].map((y) => [8, y] as const),
  ];
  return places.reduce((bits, [x, y]) => (bits << 1) | at(x, y), 0);
}

test("it grows with the text, in the versions 1 to 10, and says what is too long", () => {
  const sides = [14, 15, 26, 27, 152, 153, 180, 181, 213].map((length) => matrixOf("x".repeat(length)).length);
  assert.deepEqual(sides, [21, 25, 25, 29, 49, 53, 53, 57, 57]);
  assert.equal(qrOf("x".repeat(214)), null);
  assert.equal(matrixOf("ü".repeat(7)).length, 21, "bytes count");
});

test("it has the three finders, the timing and the dark module of the standard", () => {
  for (const length of [1, 40, 130, 213]) {
    const lines = printed(matrixOf("x".repeat(length)));
    const end = lines.length - 7;
    const corner = (x: number, y: number) => lines.slice(y, y + 7).map((line) => line.slice(x, x + 7));
    for (const [x, y] of [
      [0, 0],
      [end, 0],
      [0, end],
    ] as const)
      assert.deepEqual(corner(x, y), FINDER);
    const timing = lines[6]?.slice(8, end - 1) ?? "";
    assert.match(timing, /^(# )*#$/);
    assert.equal(lines[end - 1]?.[8], "#");
  }
});

test("its format names level M and a mask, in a word of the standard's code", () => {
  // ISO/IEC 18004, table C.1: level M with the masks 0 to 7.
  const words = [0x5412, 0x5125, 0x5e7c, 0x5b4b, 0x45f9, 0x40ce, 0x4f97, 0x4aa0];
  for (const text of ["a", "ab", "abc", "otpauth://totp/x", "x".repeat(200)])
    assert.ok(words.includes(formatOf(matrixOf(text))), text);
});

test("codes that another program has read stay as they were", () => {
  const uri =
    "otpauth://totp/GhostInbox%3Aadmin%40mail.example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=GhostInbox";
  const digests = ["a", uri, uri.repeat(2).slice(0, 213)].map((text) =>
    createHash("sha256")
      .update(printed(matrixOf(text)).join("\n"))
      .digest("hex")
      .slice(0, 16),
  );
  assert.deepEqual(digests, ["8c7f3861c4e16c68", "12a47f836dd4ea16", "f39eff273411f51b"]);
});
