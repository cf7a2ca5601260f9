import { mountOf } from "../../wire/kernel/mounts.ts";
import { size } from "../print/size.ts";
import { type Finding, ok, unknown, warning, wrong } from "./finding.ts";
import type { Room } from "./machine.ts";
import type { Check } from "./server.ts";

/** Free shares of the disk. */
const LITTLE = 0.1;
const ALMOST_NONE = 0.03;

export function judgeSpace(place: string, { free, all }: Room): Finding {
  return judgeRoom(free / all, `${size(free)} of ${size(all)} are free below ${place}.`, place);
}

/** Some file systems have no fixed number of inodes. */
export function judgeInodes(place: string, { free, all }: Room): Finding {
  if (all === 0) return ok(`The file system below ${place} has no fixed number of inodes.`);
  return judgeRoom(free / all, `${free} of ${all} inodes are free below ${place}.`, place);
}

function judgeRoom(share: number, saw: string, place: string): Finding {
  const fix = `du -xh --max-depth=2 ${place} | sort -h | tail  # shows what uses the space`;
  if (share < ALMOST_NONE) return wrong(saw, fix);
  return share < LITTLE ? warning(saw, fix) : ok(saw);
}

export function judgeMount(place: string, mounts: string): Finding {
  const mount = mountOf(place, mounts);
  if (mount === null) return unknown(`The kernel lists no mount that contains ${place}.`);
  const { point, type, isReadOnly } = mount;
  if (isReadOnly) return wrong(`The disk at ${point} (${type}) is read-only.`, "dmesg | tail  # docs/recovery.md");
  return ok(`The disk at ${point} (${type}) is writable.`);
}

export const disk = [
  {
    name: "space",
    does: "Asks the file system of the data directory for its free space.",
    look: ({ layout: { data }, machine }) => judgeSpace(data, machine.room(data).bytes),
  },
  {
    name: "inodes",
    does: "Asks the file system for its free inodes; each mail uses one.",
    look: ({ layout: { data }, machine }) => judgeInodes(data, machine.room(data).inodes),
  },
  {
    name: "mount",
    does: "Checks whether the data directory's disk is writable.",
    look: ({ layout: { data }, machine }) => judgeMount(data, machine.mounts()),
  },
] as const satisfies readonly Check[];
