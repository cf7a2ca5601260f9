import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { layoutOf } from "../../src/settings/layout.ts";
import { openAccounts, openEngine } from "../../src/store/open.ts";
import { loadValid } from "./loaded-settings.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const SETTINGS = 'domains = ["example.test"]\n';

/** A data directory, `data` in `top`, with the minimum for a backup: settings, and both databases without rows. */
export function dataToBackUp() {
  const top = temporaryDirectory();
  // Services that run as other users reach their own files.
  chmodSync(top, 0o755);
  const layout = layoutOf(join(top, "data"));
  for (const path of [layout.engineDb, layout.accountsDb]) mkdirSync(dirname(path), { recursive: true });
  openEngine(layout.engineDb).close();
  openAccounts(layout.accountsDb).close();
  writeFileSync(layout.settings, SETTINGS);
  const maildir = (local: string): string => join(layout.mail, "example.test", local, "Maildir");
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  return { top, layout, settings: loadValid(SETTINGS).settings, maildir, put };
}
