import { writeSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import { messageOf } from "../../core/error.ts";
import { saveMemoryOnceSettled } from "../../host/machine/late-flags.ts";
import { carryOut, maintenanceWork, READY } from "../../store/maintenance/work.ts";

/**
 * Started by the guard with the path of `engine.db`. Reads one order a line from standard input, and writes one answer a line to standard
 * output. It ends with the guard, and without closing the databases: a clean close could take `-wal` away from readers.
 */

// Copies run while decisions are made, perhaps on the same processor.
setPriority(constants.priority.PRIORITY_LOW);
const [, , path = ""] = process.argv;
const work = maintenanceWork(path);
writeSync(1, `${READY}\n`);
saveMemoryOnceSettled();
// The guard decides when to end: signals for the whole process group are not meant for this process.
process.on("SIGINT", () => undefined);
createInterface({ input: process.stdin })
  .on("line", (line) => void answer(line).then((text) => writeSync(1, `${text}\n`)))
  .on("close", () => process.exit(0));

async function answer(line: string): Promise<string> {
  try {
    return await carryOut(line, work);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return "null";
  }
}
