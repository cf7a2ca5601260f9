import { KEYS_OF_AN_ACCOUNT } from "../../admin/declare/account-key.ts";
import type { Site } from "../configuration/site.ts";

/**
 * Fields that mail programs request of many mails at once. Dovecot would store them in dovecot.index.cache in clear text. They are named,
 * because with `*` it would store nothing at all, not even the date of arrival.
 */
const NOT_CACHED = [
  ..."date subject from sender reply-to to cc bcc message-id in-reply-to references newsgroups resent-from".split(" "),
  ..."priority x-priority importance content-type x-mailer user-agent return-path delivered-to received".split(" "),
  ..."list-id list-post list-unsubscribe disposition-notification-to authentication-results".split(" "),
  ..."x-spam-flag x-spam-status x-spam-score x-spam-level x-label x-keywords".split(" "),
].map((name) => `hdr.${name}`);

const NOTHING = {
  uncached: [],
  plugin: "",
  settings: "",
  passdb: "",
  keys: "",
  noKeys: "",
  publicKey: "",
  noPublicKey: "",
};

/**
 * Dovecot's mail-crypt with global keys (https://doc.dovecot.org/2.3/configuration_manual/mail_crypt_plugin/): mail is saved with the
 * public key of the account or the server, so it arrives while the private key is missing. That key is set in a separate file, because
 * Dovecot does not start if a named file is missing. Dovecot reads further keys only after a first one, so an unused key takes the first
 * place.
 */
export function mailCryptParts({ mailCrypt: crypt, layout }: Site) {
  if (crypt === null) return NOTHING;
  const passphrases = OF_ACCOUNT.map((name) => `userdb_${name}_password=%{sha256:password}`);
  const keys = OF_ACCOUNT.map(
    (name, i) => `, (SELECT key${i + 1} FROM opened_key WHERE opened_key.user = '%u') AS userdb_${name}`,
  );
  const publicKey = "(SELECT public_key FROM encrypting_key WHERE encrypting_key.user = '%u')";
  return {
    /** Further fields for `mail_never_cache_fields` (`dovecot-conf.ts`), because caches are not encrypted. */
    uncached: [...NOT_CACHED, "body.snippet"],
    /** For `mail_plugins`. */
    plugin: " mail_crypt",
    settings: `plugin {
  mail_crypt_global_public_key = <${crypt.publicKey}
  mail_crypt_global_private_key = <${layout.mailNoKey}
  mail_crypt_save_version = ${crypt.encrypts ? 2 : 0}
}
!include_try ${layout.mailKeyConf}
`,
    /**
     * For the passdb: the passphrase of the user's private keys. It is the hash of the typed password, because the password itself may
     * contain text that Dovecot would expand, and must reach no other process.
     */
    passdb: `\n  override_fields = ${passphrases.join(" ")}`,
    /** For the query of the passdb: the private keys of an account, locked with its password, or none. */
    keys: keys.join(""),
    noKeys: ", NULL".repeat(OF_ACCOUNT.length),
    /** For the query of the userdb: the public key with which new mail of an account is encrypted, if it has one. */
    publicKey: crypt.byAccount ? `, ${publicKey} AS mail_crypt_global_public_key` : "",
    noPublicKey: crypt.byAccount ? ", NULL" : "",
  };
}

/** The file that is included while the private key exists. */
export function mailKeyConf(link: string): string {
  return `plugin {\n  mail_crypt_global_private_key = <${link}\n}\n`;
}

/** The names of an account's private keys, which follow the server's. */
const OF_ACCOUNT = Array.from({ length: KEYS_OF_AN_ACCOUNT }, (_, i) => nameOf(i));

/**
 * For a program that copies an account's mail as root: all private keys of the account, in files. Copies are written and encrypted with the
 * current key, because a hard link would need the old one, which no password may open any more.
 */
export function accountKeysConf(files: readonly string[]): string {
  const keys = files.map((file, i) => `  ${nameOf(i)} = <${file}\n`).join("");
  return `plugin {\n${keys}}\nmaildir_copy_with_hardlinks = no\n`;
}

function nameOf(i: number): string {
  return `mail_crypt_global_private_key${i + 2}`;
}
