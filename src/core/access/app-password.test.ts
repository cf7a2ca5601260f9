import assert from "node:assert/strict";
import { test } from "node:test";
import { APP_PASSWORD_NAME, appPasswordName } from "./passwords.ts";

test("a name has letters of any language, digits, spaces and few signs", () => {
  for (const name of ["phone", "Annas Laptop", "Büro 2", "k-9.mail_x", "7", "a".repeat(APP_PASSWORD_NAME)])
    assert.equal(appPasswordName(name), name);
  assert.equal(appPasswordName("  phone "), "phone");
  assert.equal(appPasswordName("Bu\u0308ro"), "B\u00fcro");
});

test("text that a log, a table or Dovecot could misread is not a name", () => {
  const wrong = [
    "",
    " ",
    "-x",
    ".x",
    "a\tb",
    "a\nb",
    "a'b",
    "a%u",
    "a=b",
    "a,b",
    "\u202ea",
    "a".repeat(APP_PASSWORD_NAME + 1),
  ];
  for (const name of wrong) assert.equal(appPasswordName(name), null, JSON.stringify(name));
});
