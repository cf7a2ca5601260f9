import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyTo, type Mutant } from "./mutants.ts";

const NOT_COPIED = [".git", "node_modules"];

/** A copy of the checkout in which files are mutated, so that the checkout itself stays unchanged. */
export class Tree {
  readonly path: string;

  constructor(root: string) {
    this.path = mkdtempSync(join(tmpdir(), "ghostinbox-mutants-"));
    for (const name of readdirSync(root).filter((one) => !NOT_COPIED.includes(one)))
      cpSync(join(root, name), join(this.path, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(this.path, "node_modules"));
  }

  /** Does `work` while a mutant replaces its file. */
  async with<T>(mutant: Mutant, work: () => Promise<T>): Promise<T> {
    const path = join(this.path, mutant.file);
    const source = readFileSync(path, "utf8");
    writeFileSync(path, applyTo(source, mutant));
    try {
      return await work();
    } finally {
      writeFileSync(path, source);
    }
  }

  /**
   * The mutants that compile, because code that `npm run check` refuses is never committed. Each mutant gets its own file
   * beside the original, so that one run of the compiler checks all.
   */
  async compiling(mutants: readonly Mutant[]): Promise<readonly Mutant[]> {
    const copies = mutants.map((mutant, i) => ({ mutant, name: mutant.file.replace(/\.ts$/, `.mutant-${i}.ts`) }));
    for (const { mutant, name } of copies)
      writeFileSync(join(this.path, name), applyTo(readFileSync(join(this.path, mutant.file), "utf8"), mutant));
    const refused = await this.#refused(copies.map(({ name }) => name));
    for (const { name } of copies) rmSync(join(this.path, name));
    return copies.flatMap(({ mutant, name }) => (refused.has(name) ? [] : [mutant]));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  async #refused(files: readonly string[]): Promise<ReadonlySet<string>> {
    // An import that a mutant leaves unused does not count, because whoever made the mistake would also remove the import.
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, allowUnreachableCode: true };
    const project = join(this.path, "tsconfig.mutants.json");
    writeFileSync(project, JSON.stringify({ extends: "./tsconfig.json", compilerOptions, include: [], files }));
    const output = await new Promise<string>((resolve) => {
      execFile(
        join(this.path, "node_modules/.bin/tsc"),
        ["-p", project, "--pretty", "false"],
        { cwd: this.path, maxBuffer: 2 ** 28 },
        (_error, stdout) => resolve(stdout),
      );
    });
    const errors = output.split("\n").flatMap((line) => /^(\S+?)\(\d+,\d+\): error /.exec(line)?.[1] ?? []);
    const strange = errors.filter((file) => !files.includes(file));
    if (strange.length > 0 || /^error /m.test(output))
      throw new Error(`The compiler fails without a mutant:\n${output}`);
    return new Set(errors);
  }
}
