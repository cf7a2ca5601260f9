/** An open IMAP session, and the process that serves it. */
export type OpenSession = Readonly<{ account: string; ip: string; pid: number }>;

/** What `doveadm who -1` prints (doveadm-who(1)): a line with user, protocol, pid and address for each connection. */
export function parseOpenSessions(printed: string): readonly OpenSession[] {
  return printed.split("\n").flatMap((line) => {
    const [, account, pid, ip] = /^(\S+@\S+)\s+\w[\w-]*\s+(\d+)\s+([0-9a-f.:]+)\s*$/i.exec(line) ?? [];
    return account === undefined || ip === undefined ? [] : [{ account: account.toLowerCase(), ip, pid: Number(pid) }];
  });
}
