import { sendMail, tryLogIn } from "./mail.ts";
import { PASSWORD, type Product } from "./product.ts";

const SENDERS = 5;

export type UnderLoad = ReturnType<typeof underLoad>;

/** Sends mails, sign-ins and commands until the server is gone. Each mail is sent once. */
export function underLoad(product: Product, accounts: readonly string[]) {
  /** The server's promises: everything here was answered with 250 or with success. */
  const promised = {
    /** Their numbers. */
    mails: new Set<number>(),
    bans: new Set<string>(),
    /** The possible passwords of each account: more than one if a change was not answered. */
    passwords: new Map<string, readonly string[]>(accounts.map((name) => [name, [PASSWORD]])),
    tokens: new Set<string>(),
    /** `limits.mail.per_day`, which `config set` writes: several if a change was not answered. */
    perDay: [200] as readonly number[],
  };
  /** `deferred` counts replies other than 250, such as while the guard starts; the others count successes. */
  const counts = { deferred: 0, signIns: 0, commands: 0 };
  let mail = 0;
  let made = 0;
  let turn = 0;
  const now = { isOn: false, isDark: false };
  let done: Promise<unknown> = Promise.resolve();

  function start(): void {
    Object.assign(now, { isOn: true, isDark: false });
    const senders = Array.from({ length: SENDERS }, () => send);
    const others = [signIn, guess, command];
    done = Promise.all([...senders, ...others].map(onAndOn));
  }

  /** Call it before the power fails. Later answers are not promises, because no one would get them (`cut` of loop-disk.ts). */
  function losePower(): void {
    now.isDark = true;
  }

  /** Starts nothing more. Resolves once pending work has ended, or failed with the server. */
  function stop(): Promise<unknown> {
    now.isOn = false;
    return done;
  }

  async function onAndOn(work: () => Promise<void>): Promise<void> {
    while (now.isOn)
      try {
        await work();
      } catch {
        // The server disappeared during the work.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
  }

  async function send(): Promise<void> {
    const number = mail++;
    const reply = await sendMail({
      host: product.lab.sender,
      from: `2001:db8:b${(number >> 12).toString(16).padStart(3, "0")}:${(number & 0xfff).toString(16)}::1`,
      recipient: accounts[number % accounts.length] ?? "",
      subject: `Number ${number}.`,
    });
    if (reply.code !== 250) counts.deferred += 1;
    else if (!now.isDark) promised.mails.add(number);
  }

  async function signIn(): Promise<void> {
    const name = accounts[counts.signIns % accounts.length] ?? "";
    const answer = await tryLogIn(product.lab.sender, "198.51.100.70", name);
    if (answer.startsWith("OK")) counts.signIns += 1;
  }

  async function guess(): Promise<void> {
    const number = made++;
    const from = `198.18.${(number >> 8) & 255}.${number & 255}`;
    await tryLogIn(product.lab.attacker, from, `nobody${number}@example.test`, "not the password at all");
  }

  /** One of each kind in turn. Unanswered commands may have been carried out or not. */
  async function command(): Promise<void> {
    const number = made++;
    const { bans, passwords, tokens } = promised;
    const ban = `192.0.2.${number % 250}/32`;
    const name = `user${number}@example.test`;
    const token = `token${number}`;
    const added = () => passwords.set(name, [PASSWORD]);
    const kinds = [
      () => runCommand(["ban", ban, "--for", "1d"], () => bans.add(ban)),
      () => runCommand(["account", "add", name, "--password-stdin"], added, PASSWORD),
      () => setting(200 + number),
      () => changePassword(`${PASSWORD} ${number}`),
      () => runCommand(["token", "create", token], () => tokens.add(token)),
    ];
    await kinds[turn++ % kinds.length]?.();
  }

  async function changePassword(password: string): Promise<void> {
    const { passwords } = promised;
    const name = [...passwords.keys()].findLast((one) => !accounts.includes(one));
    if (name === undefined) return;
    passwords.set(name, [...(passwords.get(name) ?? []), password]);
    const changed = () => passwords.set(name, [password]);
    await runCommand(["account", "passwd", name, "--password-stdin"], changed, password);
  }

  async function setting(perDay: number): Promise<void> {
    promised.perDay = [...promised.perDay, perDay];
    const set = () => (promised.perDay = [perDay]);
    await runCommand(["config", "set", "limits.mail.per_day", `${perDay}`], set);
  }

  /** Runs a command. `promises` notes what its success promises. */
  async function runCommand(argv: readonly string[], promises: () => unknown, password = ""): Promise<void> {
    if (!now.isOn) return;
    const ran = await product.cli([...argv, "--json"], { input: password === "" ? "" : `${password}\n` });
    if (ran.code !== 0 || now.isDark) return;
    promises();
    counts.commands += 1;
  }

  return { promised, counts, start, losePower, stop };
}
