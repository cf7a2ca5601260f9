import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { dataToBackUp } from "../../../test/kit/data-to-back-up.ts";
import { contentOf, put } from "../../../test/kit/files.ts";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { layoutOf } from "../../settings/layout.ts";
import { finishRestore } from "./replace-contents.ts";
import { readKey, repositoryOf } from "./repository.ts";

/**
 * Restores `backup` to `data`. Once it replaces data, copies `top` before each change, as a kill would leave it. Returns a line for each
 * flush: whether the restored mail was in place, and the step. This process must end before a copy is used: the lock names it.
 */
function restoreInSteps({ top, data, backup, copies }: Readonly<Record<"top" | "data" | "backup" | "copies", string>>) {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    import child from "node:child_process";
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const { execFileSync } = child;
    child.execFileSync = (name, ...args) => {
      const inPlace = ["mail/example.test/anna/Maildir/cur/1:2,S", ".restoring/step.json"].map((file) => fs.existsSync(${JSON.stringify(`${data}/`)} + file));
      if (name === "sync") console.log(...inPlace);
      return execFileSync(name, ...args);
    };
    let step = -1;
    for (const name of ["renameSync", "unlinkSync", "rmdirSync"]) {
      const change = fs[name];
      fs[name] = (...args) => {
        if (step >= 0 || /step(?:\\.json)?$/.test(String(args[1])))
          execFileSync("cp", ["-a", ${JSON.stringify(`${top}/.`)}, ${JSON.stringify(`${copies}/`)} + String(++step).padStart(3, "0")]);
        return change(...args);
      };
    }
    syncBuiltinESMExports();
    const { layoutOf } = await import(${module("../../settings/layout.ts")});
    const { restoreServer } = await import(${module("./restore.ts")});
    const fetch = async (to) => (fs.cpSync(${JSON.stringify(backup)}, to, { recursive: true }), { ok: true });
    const restored = await restoreServer(layoutOf(${JSON.stringify(data)}), fetch, { key: "typed", replaces: true });
    if (!restored.ok) throw new Error(restored.reason);`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
}

const FORMER = ["ghostinbox.toml", "only-old", "backup/repository/config", "mail/example.test/anna/Maildir/cur/9:2,S"];

describe("a restore that is killed before any of its steps", {
  skip: lacking({ root: true, installed: ["restic"] }),
}, () => {
  const server = dataToBackUp();
  const backup = join(server.top, "backup");
  before(async () => {
    put(join(server.maildir("anna"), "cur", "1:2,S"), "a mail");
    makeCheapRepository(server.layout);
    assert.ok((await server.backUp()).ok);
    const watch = () => undefined;
    assert.ok((await repositoryOf(server.layout, server.settings).restore("latest", { to: backup, watch })).ok);
  });

  type Place = Readonly<{ make: (data: string, mounts: DisposableStack) => void; key: string | null }>;
  const places: Readonly<Record<string, Place>> = {
    "a directory": { make: (data) => mkdirSync(data), key: "former" },
    "a directory without a key": { make: (data) => mkdirSync(data), key: null },
    "a link": {
      make: (data) => {
        mkdirSync(`${data}-behind`);
        symlinkSync(`${data}-behind`, data);
      },
      key: "former",
    },
    "a mount with another one in it": {
      make: (data, mounts) => {
        for (const path of [data, join(data, "mail")]) mounts.use(tmpfs(path));
      },
      key: "former",
    },
  };
  for (const [what, { make, key }] of Object.entries(places))
    test(`in ${what}: the next start finishes it or drops it, and the backups and their key are in place`, () => {
      const name = what.replaceAll(" ", "-");
      const [top, copies] = [join(server.top, name), join(server.top, `${name}-copies`)];
      const data = join(top, "data");
      const layout = layoutOf(data);
      /** Gives `work` an empty place of this kind. */
      const inPlace = <T>(work: () => T): T => {
        mkdirSync(top);
        try {
          using mounts = new DisposableStack();
          make(data, mounts);
          return work();
        } finally {
          rmSync(top, { recursive: true });
        }
      };
      /** Whether the restored server is in place; the former one otherwise. */
      const isRestored = (): boolean => {
        assert.equal(contentOf(join(layout.backupRepository, "config")), "former");
        assert.deepEqual(globSync(["data.restoring", "{data,data/mail}/.restoring"], { cwd: top }), []);
        const isDone = existsSync(layout.accountsDb);
        assert.equal(readKey(layout), key ?? (isDone ? "typed" : null));
        const aside = globSync(["data.before-*/only-old", "data/before-*/only-old"], { cwd: top });
        assert.deepEqual([aside.length, existsSync(join(data, "only-old"))], isDone ? [1, false] : [0, true]);
        const mails = join("example.test", "anna", "Maildir", "cur");
        const asides = ["data.before-*/mail", "data/before-*/mail", "data/mail/.before-*"];
        const former = asides.map((place) => join(place, mails, "9:2,S"));
        assert.equal(globSync(former, { cwd: top }).length, isDone ? 1 : 0, "the former mail is kept");
        assert.deepEqual(readdirSync(join(layout.mail, mails)), [isDone ? "1:2,S" : "9:2,S"]);
        return isDone;
      };
      mkdirSync(copies);
      inPlace(() => {
        for (const path of [...FORMER, ...(key === null ? [] : ["backup/key"])]) put(join(data, path), "former");
        const flushes = restoreInSteps({ top, data, backup, copies });
        assert.equal(flushes, what.startsWith("a mount") ? "false false\ntrue true\n" : "false false\n");
        assert.ok(isRestored());
      });
      const ends = readdirSync(copies)
        .toSorted()
        .map((step) =>
          inPlace(() => {
            execFileSync("cp", ["-a", `${join(copies, step)}/.`, top]);
            finishRestore(data);
            return isRestored();
          }),
        );
      assert.deepEqual([ends[0], ends[1], ends.at(-1)], [false, true, true]);
    });
});
