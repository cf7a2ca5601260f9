import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { PASSWORD_SALT_BYTES, PASSWORD_TAG_BYTES, printArgon2id } from "../../core/access/passwords.ts";
import type { AccountName } from "../../core/net/address.ts";
import { oneAfterAnother } from "../../core/one-after-another.ts";
import type { Passwords } from "../../guard/access/sign-in.ts";
import type { SecretMaker } from "../../guard/admin-ports.ts";
import { passwordHashOf } from "../../mail/dovecot/login-policy.ts";
import { hashPassword, verifyPassword } from "./password-hash.ts";

/**
 * Verifies one password at a time. Each takes 19 MB, an imported one up to 46 MB, and a burst would take a multiple of that.
 * After a wrong password it pauses for as long as the check took, so guessing costs at most half a core.
 */
export class PasswordTurns implements Passwords {
  /** A hash of random bytes, which no one's password matches. */
  readonly decoy = printArgon2id(randomBytes(PASSWORD_SALT_BYTES), randomBytes(PASSWORD_TAG_BYTES));
  readonly #verify: typeof verifyPassword;
  readonly #inTurn = oneAfterAnother();

  constructor(verify: typeof verifyPassword = verifyPassword) {
    this.#verify = verify;
  }

  verify(hash: string, password: string): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#inTurn(async () => {
      const began = performance.now();
      const isRight = await this.#verify(hash, password);
      // Before the pause, so that only the next password waits.
      resolve(isRight);
      if (!isRight) await wait(performance.now() - began);
    }).catch(reject);
    return promise;
  }

  /** Hashes all passwords in one turn, so strangers' sign-ins never delay an import between two accounts. */
  hashAll(passwords: readonly string[]): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const hashes: string[] = [];
      for (const password of passwords) hashes.push(await hashPassword(password));
      return hashes;
    });
  }
}

/** Makes the hashes that the guard stores of new passwords. `loginSecret`: the secret of the login policy. */
export function accountSecrets(turns: Pick<PasswordTurns, "hashAll">, loginSecret: string): SecretMaker {
  const hashOf = (owner: AccountName, password: string) => passwordHashOf(loginSecret, owner, password);
  return {
    make: async (asked) => {
      const hashes = await turns.hashAll(asked.map(({ password }) => password));
      return asked.map(({ owner, password }, i) => ({ hash: hashes[i] ?? "", passwordHash: hashOf(owner, password) }));
    },
    passwordHashOf: hashOf,
  };
}
