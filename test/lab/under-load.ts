import { logIn, openImap, sendMail } from "./mail.ts";
import { PASSWORD, type Product } from "./product.ts";

const SENDERS = 5;
const WRONG = "not the password at all";

/** The server's promises: everything here was answered with 250 or with success. */
export type Promised = Readonly<{
  /** Numbers of mails. */
  mails: Set<number>;
  bans: Set<string>;
  /** The possible passwords of each account: more than one if a change was not answered. */
  passwords: Map<string, readonly string[]>;
  tokens: Set<string>;
  /** `limits.mail.per_day`, which `config set` writes. */
  perDay: readonly number[];
}>;

/** Mails, sign-ins and commands without end, until the server is gone. Each mail is sent once. */
export class UnderLoad {
  readonly promised = {
    mails: new Set<number>(),
    bans: new Set<string>(),
    passwords: new Map<string, readonly string[]>(),
    tokens: new Set<string>(),
    perDay: [200] as readonly number[],
  } satisfies Promised;
  /** Replies other than 250, such as while the guard starts. */
  deferred = 0;
  signIns = 0;
  /** Of the successful ones. */
  commands = 0;
  readonly #product: Product;
  readonly #accounts: readonly string[];
  #mail = 0;
  #made = 0;
  #turn = 0;
  #isOn = false;
  #isDark = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(product: Product, accounts: readonly string[]) {
    this.#product = product;
    this.#accounts = accounts;
    for (const name of accounts) this.promised.passwords.set(name, [PASSWORD]);
  }

  start(): void {
    this.#isOn = true;
    this.#isDark = false;
    const senders = Array.from({ length: SENDERS }, () => () => this.#send());
    const others = [() => this.#signIn(), () => this.#guess(), () => this.#command()];
    this.#done = Promise.all([...senders, ...others].map((work) => this.#onAndOn(work)));
  }

  /** Call it before the power fails: no later answer would reach anyone, so none is a promise (`LoopDisk.cut`). */
  losePower(): void {
    this.#isDark = true;
  }

  /** Starts nothing more. Resolves once pending work has ended, or failed with the server. */
  stop(): Promise<unknown> {
    this.#isOn = false;
    return this.#done;
  }

  async #onAndOn(work: () => Promise<void>): Promise<void> {
    while (this.#isOn)
      try {
        await work();
      } catch {
        // The server is gone in the middle of the work.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
  }

  async #send(): Promise<void> {
    const number = this.#mail++;
    const reply = await sendMail({
      host: this.#product.lab.sender,
      from: `2001:db8:b${(number >> 12).toString(16).padStart(3, "0")}:${(number & 0xfff).toString(16)}::1`,
      recipient: this.#accounts[number % this.#accounts.length] ?? "",
      subject: `Number ${number}.`,
    });
    if (reply.code !== 250) this.deferred += 1;
    else if (!this.#isDark) this.promised.mails.add(number);
  }

  async #signIn(): Promise<void> {
    const name = this.#accounts[this.signIns % this.#accounts.length] ?? "";
    const imap = await openImap(this.#product.lab.sender, "198.51.100.70");
    try {
      if ((await logIn(imap, name))?.startsWith("OK") === true) this.signIns += 1;
    } finally {
      imap.close();
    }
  }

  async #guess(): Promise<void> {
    const number = this.#made++;
    const imap = await openImap(this.#product.lab.attacker, `198.18.${(number >> 8) & 255}.${number & 255}`);
    try {
      await logIn(imap, `nobody${number}@example.test`, WRONG);
    } finally {
      imap.close();
    }
  }

  /** One of each kind in turn. Unanswered commands may have been carried out or not. */
  async #command(): Promise<void> {
    const number = this.#made++;
    const kinds = [
      () => this.#ban(number),
      () => this.#addAccount(number),
      () => this.#setting(number),
      () => this.#changePassword(number),
      () => this.#token(number),
    ];
    if ((await kinds[this.#turn++ % kinds.length]?.()) === true) this.commands += 1;
  }

  async #ban(number: number): Promise<boolean> {
    const ban = `192.0.2.${number % 250}/32`;
    const isDone = await this.#does(["ban", ban, "--for", "1d"]);
    if (isDone) this.promised.bans.add(ban);
    return isDone;
  }

  async #addAccount(number: number): Promise<boolean> {
    const name = `user${number}@example.test`;
    const isDone = await this.#does(["account", "add", name, "--password-stdin"], PASSWORD);
    if (isDone) this.promised.passwords.set(name, [PASSWORD]);
    return isDone;
  }

  async #changePassword(number: number): Promise<boolean> {
    const { passwords } = this.promised;
    const name = [...passwords.keys()].findLast((one) => !this.#accounts.includes(one));
    if (name === undefined) return false;
    const password = `${PASSWORD} ${number}`;
    passwords.set(name, [...(passwords.get(name) ?? []), password]);
    const isDone = await this.#does(["account", "passwd", name, "--password-stdin"], password);
    if (isDone) passwords.set(name, [password]);
    return isDone;
  }

  async #setting(number: number): Promise<boolean> {
    const perDay = 200 + number;
    this.promised.perDay = [...this.promised.perDay, perDay];
    const isDone = await this.#does(["config", "set", "limits.mail.per_day", `${perDay}`]);
    if (isDone) this.promised.perDay = [perDay];
    return isDone;
  }

  async #token(number: number): Promise<boolean> {
    const name = `token${number}`;
    const isDone = await this.#does(["token", "create", name]);
    if (isDone) this.promised.tokens.add(name);
    return isDone;
  }

  async #does(argv: readonly string[], password = ""): Promise<boolean> {
    if (!this.#isOn) return false;
    const ran = await this.#product.cli([...argv, "--json"], { input: password === "" ? "" : `${password}\n` });
    return ran.code === 0 && !this.#isDark;
  }
}
