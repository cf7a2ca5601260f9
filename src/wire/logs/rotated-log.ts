/** Names of rotated logs: by svlogd(8) `@TAI64N.s`, by the keeper `mail.log.20261120-081500[.gz]`. */
const BY_SVLOGD = /^@[0-9a-f]{8,32}\.[su]$/;
const BY_KEEPER = /^\.\d{8}-\d{6}(?:-\d+)?(?:\.gz)?$/;

/** Whether `name` is a rotated part of the log `of`, both without their directory. */
export function isRotated(name: string, of: string): boolean {
  return of === "current" ? BY_SVLOGD.test(name) : name.startsWith(of) && BY_KEEPER.test(name.slice(of.length));
}

/** By logrotate(8): `eve.json.1`, `eve.json-20261120`. */
const BY_LOGROTATE = /^(?:\.\d{1,4}|-\d{8}(?:-\d{1,10})?)$/;

/** The same of a log that another program writes and rotates. Packed parts are not among them. */
export function isRotatedElsewhere(name: string, of: string): boolean {
  return name.startsWith(of) && BY_LOGROTATE.test(name.slice(of.length));
}

/** The name of a log that is rotated at this time (UTC); such names sort by age. */
export function rotatedName(log: string, iso: string): string {
  return `${log}.${iso.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`;
}
