import { dirname, join } from "node:path";
import { SECOND_MS } from "../../core/time.ts";
import { readForeign } from "../../host/root-files/files.ts";
import { CONTENT_USERS, type ForeignFile, USERS } from "../../settings/layout.ts";
import { type RenderedFile, rendered, renderedScript, type Site } from "../configuration/site.ts";

/** The service of Dovecot that learns, and its socket below Dovecot's `base_dir`. */
const LEARN = "spam-learn";
const SCRIPTS = { spam: "learn-spam.sieve", ham: "learn-ham.sieve" } as const;
/** Maximum bytes of a mail to learn. Spam is shorter, and longer mail takes spamd a long time. */
const LONGEST = "512K";
/** Seconds. Dovecot gives up after ten. */
const LEARN_SECONDS = 8;
/** Bytes of the log of learned mail; one older part is kept. */
const LIST_BYTES = 1_000_000;

/**
 * Folders for spam and deleted mail, as mail programs name them. Moving mail there does not correct the filter.
 * Special-use (RFC 6154) does not help: only our Junk and Trash have it.
 */
const UNWANTED = [
  "Junk|Junk E-?mail|Spam|Bulk Mail|Trash|Bin|Deleted|Rubbish|Wastebasket|Recycle Bin",
  "Papierkorb|Gelöscht|Gelöschte|Unerwünscht|Spamverdacht",
  "Corbeille|Éléments supprimés|Messages supprimés|Supprimés|Indésirables|Courrier indésirable|Pourriel",
  "Papelera|Eliminados|Elementos eliminados|Mensajes eliminados|Correo no deseado",
  "Cestino|Eliminata|Posta eliminata|Elementi eliminati|Indesiderata|Posta indesiderata",
  "Lixo|Lixeira|Reciclagem|Itens excluídos|Itens eliminados|Prullenbak|Prullenmand|Verwijderde|Ongewenste",
  "Kosz|Elementy usunięte|Koš|Odstraněná pošta|Odstraněné|Kuka|Törölt|Törölt elemek",
  "Papperskorg|Papperskorgen|Borttagna|Skräppost|Papirkurv|Slettede|Slettet|Søppel|Søppelpost",
  "Roskakori|Roskaposti|Poistetut|Корзина|Удаленные|Удалённые|Кошик|Видалені|Спам|Çöp|Çöp Kutusu|Silinmiş",
  "Κάδος|Διαγραμμένα|ごみ箱|ゴミ箱|削除済み|削除済みアイテム|迷惑メール|垃圾箱|垃圾邮件|垃圾郵件|已删除|已删除邮件|휴지통|스팸",
].join("|");

/** For `plugin { }` of Dovecot: moving mail into Junk or out of it teaches the spam filter (Pigeonhole, imapsieve). */
export function learnPlugin({ layout }: Site): string {
  const rule = (n: number, lines: readonly string[]): readonly string[] =>
    [...lines, "causes = COPY"].map((line) => `  imapsieve_mailbox${n}_${line}`);
  return [
    "  sieve_plugins = sieve_imapsieve sieve_extprograms",
    // A user's own script cannot start programs.
    "  sieve_global_extensions = +vnd.dovecot.pipe +vnd.dovecot.environment",
    "  sieve_pipe_socket_dir = .",
    ...rule(1, ["name = Junk", `before = file:${join(layout.sieve, SCRIPTS.spam)}`]),
    ...rule(2, ["name = *", "from = Junk", `before = file:${join(layout.sieve, SCRIPTS.ham)}`]),
  ].join("\n");
}

/** Runs as spamd's user, one at a time. */
export function learnService({ layout }: Site): string {
  return `service ${LEARN} {
  executable = script ${join(dirname(layout.dovecotConf), LEARN)}
  user = ${CONTENT_USERS.spamd}
  process_limit = 1
  client_limit = 1
  unix_listener ${LEARN} {
    mode = 0600
    user = ${USERS.mail}
  }
}`;
}

/** Arguments from Dovecot: the mail, `spam` or `ham`, and the account that moved it. */
export function renderLearn({ layout }: Site): RenderedFile {
  const text = `set -eu
umask 077
export PATH=/usr/bin:/bin LC_ALL=C
class=$1 account=$2
case $class in spam | ham) ;; *) exit 64 ;; esac
# See program/per_user_bayes.pm.
own=${layout.learnedByUsers}/$(printf %s "$account" | sha256sum | cut -c 1-64)
mkdir -p "$own"
said=$(spamc -U ${layout.spamdSocket} -u "$account" -t ${LEARN_SECONDS} -s 1048576 -L "$class")
case $said in *successfully*) ;; *) exit 0 ;; esac
list=${layout.spamCorrections.foreign}
if [ -e "$list" ] && [ "$(stat -c %s "$list")" -gt ${LIST_BYTES} ]; then mv "$list" "$list.1"; fi
printf '%s %s %s\\n' "$(date +%s)" "$class" "$account" >> "$list"
`;
  return renderedScript(LEARN, text);
}

/** Runs before any user script, whenever mail is moved or copied by IMAP. */
export function renderLearnScripts(): readonly RenderedFile[] {
  const script = (name: keyof typeof SCRIPTS, unless: string): RenderedFile =>
    rendered(
      SCRIPTS[name],
      `require ["vnd.dovecot.pipe", "vnd.dovecot.environment", "copy", "imapsieve", "environment", "variables", "regex"];
if size :over ${LONGEST} { stop; }
${unless}if environment :matches "imap.user" "*" { set "account" "\${1}"; }
pipe :copy "${LEARN}" ["${name}", "\${account}"];
`,
    );
  // At any place (INBOX.Trash), with subfolders, and followed by another word (Deleted Items).
  const unwanted = `if environment :regex "imap.mailbox" "(^|[.])(${UNWANTED})([. ]|$)" { stop; }\n`;
  return [script("spam", ""), script("ham", unwanted)];
}

/** Far more than the list ever holds. */
const MOST_BYTES = 4 * LIST_BYTES;
const LINE = /^(\d{1,12}) (spam|ham) (\S{1,320})$/;

/**
 * What users taught the spam filter between two times: mails moved into Junk, and out of it, and how many users did so. Reads the list of
 * spamd's user and its older part, only as regular files of plausible size, and skips invalid lines.
 */
export function corrections({ foreign }: ForeignFile, from: number, to: number) {
  const lines = [`${foreign}.1`, foreign].flatMap((path) =>
    (readForeign({ foreign: path }, MOST_BYTES) ?? "").split("\n"),
  );
  const found = lines.flatMap((line) => {
    const [, seconds, learned, account] = LINE.exec(line) ?? [];
    const at = Number(seconds) * SECOND_MS;
    return account !== undefined && at >= from && at <= to ? [{ learned, account }] : [];
  });
  return {
    missed: found.filter(({ learned }) => learned === "spam").length,
    wrong: found.filter(({ learned }) => learned === "ham").length,
    users: new Set(found.map(({ account }) => account)).size,
  };
}
