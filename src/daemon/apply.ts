import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { lastLines, runProgram } from "../adapters/run-program.ts";
import { renderDovecot } from "../render/dovecot.ts";
import { renderPostfixMain } from "../render/postfix-main.ts";
import { renderPostfixMaster } from "../render/postfix-master.ts";
import { renderPostfixTables } from "../render/postfix-tables.ts";
import type { RenderedFile, Site } from "../render/site.ts";

export type Applied =
  | Readonly<{ ok: true; postfixChanged: boolean; dovecotChanged: boolean }>
  | Readonly<{ ok: false; reason: string }>;

type Part = Readonly<{ live: string; staged: string; files: readonly RenderedFile[] }>;

/**
 * Renders everything beside the configuration in force, has Postfix and Dovecot check it, and only then moves it into
 * place. Reloads nothing: the caller knows whether the services run.
 */
export async function applyConfiguration(site: Site): Promise<Applied> {
  const postfix = part(site.layout.postfixConf, [
    { name: "main.cf", text: renderPostfixMain(site), mode: 0o644 },
    { name: "master.cf", text: renderPostfixMaster(site), mode: 0o644 },
    ...renderPostfixTables(site),
  ]);
  const dovecot = part(dirname(site.layout.dovecotConf), renderDovecot(site));
  try {
    stage(postfix);
    stage(dovecot);
    const reason = (await checkPostfix(postfix.staged)) ?? (await checkDovecot(dovecot.staged));
    if (reason !== null) return { ok: false, reason };
    return { ok: true, postfixChanged: moveIntoPlace(postfix), dovecotChanged: moveIntoPlace(dovecot) };
  } finally {
    for (const { staged } of [postfix, dovecot]) rmSync(staged, { recursive: true, force: true });
  }
}

function part(live: string, files: readonly RenderedFile[]): Part {
  return { live, staged: `${live}.staged`, files };
}

function stage({ staged, files }: Part): void {
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true, mode: 0o755 });
  for (const { name, text, mode } of files) {
    const path = join(staged, name);
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
  }
}

/** Both exit with 0 after some errors, so that whatever they complain of counts. */
async function checkPostfix(directory: string): Promise<string | null> {
  const parameters = await runProgram("postconf", ["-c", directory, "-n"]);
  if (parameters.code !== 0 || parameters.stderr !== "")
    return `Postfix refuses main.cf: ${lastLines({ ...parameters, stdout: "" })}`;
  const services = await runProgram("postconf", ["-c", directory, "-M"]);
  if (services.code !== 0 || services.stderr !== "")
    return `Postfix refuses master.cf: ${lastLines({ ...services, stdout: "" })}`;
  const check = await runProgram("postfix", ["-c", directory, "check"]);
  return check.code === 0 ? null : `postfix check failed: ${lastLines(check)}`;
}

async function checkDovecot(directory: string): Promise<string | null> {
  const check = await runProgram("doveconf", ["-c", join(directory, "dovecot.conf"), "-n", "-x"]);
  return check.code === 0 ? null : `Dovecot refuses its configuration: ${lastLines({ ...check, stdout: "" })}`;
}

function moveIntoPlace({ live, staged, files }: Part): boolean {
  const changed = files.filter(({ name, text }) => {
    const path = join(live, name);
    return !existsSync(path) || readFileSync(path, "utf8") !== text;
  });
  mkdirSync(live, { recursive: true, mode: 0o755 });
  for (const { name } of changed) renameSync(join(staged, name), join(live, name));
  return changed.length > 0;
}
