import type { ConditionCode, ConditionText } from "./alerts.ts";
import type { NoticeCode, NoticeText } from "./notices.ts";

/** The texts of notices and conditions in German. Commands, settings and file names stay as they are. */

const WRONG_DETAIL = "Beheben Sie, was die Einzelheiten nennen";
const RESTARTED =
  "Ein Neustart erfolgt von selbst; hilft er nicht, versuchen Sie den Befehl in den Einzelheiten. Mehr steht in";
const ASK_USER =
  "Fragen Sie den Nutzer. War er es nicht, setzt `account passwd ADDRESS` ein neues Passwort und beendet offene Sitzungen; `account suspend ADDRESS` legt das Konto still.";
const LET_IN =
  "`events --type LOGIN_REFUSED` zeigt die Adressen; `allow add IP --for 1d` lässt einen Nutzer mit neuem Passwort herein, der unterwegs ist.";

export const germanNotices: Readonly<Record<NoticeCode, NoticeText>> = {
  database_unwritable: {
    says: "In die Datenbank lässt sich nicht schreiben: Nichts Neues wird gezählt oder gesperrt.",
    next: "Schaffen Sie Platz auf der Platte des Datenverzeichnisses, oder sehen Sie in das Log des Wächters.",
  },
  database_unflushed: {
    says: "Die Platte sichert nicht dauerhaft, was geschrieben wird: Bei einem Stromausfall gingen die neuesten Einträge und Befehle verloren.",
    next: "`dmesg` zeigt, was der Platte fehlt, und `smartctl` (Paket smartmontools) mehr. Prüfen Sie danach Befehle, die gescheitert oder ohne Antwort geblieben sind.",
  },
  database_log_held: {
    says: "Ein Programm hört nicht auf, in der Datenbank zu lesen, sodass ihr Write-Ahead-Log immer weiter wächst.",
    next: "Beenden Sie das Programm, das engine.db offen hält: `status` nennt es (database_reader). Ab 1 GB wird nichts Neues verzeichnet.",
  },
  database_reader: {
    says: "Ein Programm hält engine.db offen, sodass ihr Write-Ahead-Log auf über 64 MB gewachsen ist.",
    next: "Beenden Sie das Programm, das die Einzelheiten nennen. Ab 1 GB wird nichts Neues verzeichnet.",
  },
  database_locked: {
    says: "Ein anderes Programm hält eine Datenbank gesperrt: Post und Anmeldungen laufen weiter, aber nichts wird gezählt oder gesperrt (engine.db), oder kein Konto lässt sich ändern (accounts.db).",
    next: "Beenden Sie das Programm mit dem Befehl in den Einzelheiten. Danach läuft alles von selbst weiter.",
  },
  database_set_aside: {
    says: "Eine Datenbank war beschädigt, ersetzt oder verschwunden: Der Server hat sie neu aufgebaut, soweit sie zu retten war; die alte Datei liegt daneben.",
    next: "docs/recovery.md sagt, was fehlen kann. Brauchen Sie die alten Dateien nicht mehr, entfernt sie der Befehl in den Einzelheiten.",
  },
  database_unsaved: {
    says: "Eine Datei einer offenen Datenbank wurde gelöscht oder beschädigt und ließ sich nicht retten: Ihr Inhalt kann verloren sein, sobald der Server anhält.",
    next: "Halten Sie den Server nicht an. Beheben Sie, was die Einzelheiten nennen, etwa ein fehlendes Verzeichnis oder eine volle Platte; der Server versucht es mindestens jede Minute erneut.",
  },
  certificate_unknown: {
    says: "Für eine Ihrer Domains wurde ein Zertifikat mit einem Schlüssel ausgestellt, den keiner Ihrer Server verwendet, soweit bekannt: Vielleicht gibt sich jemand als Ihr Server aus.",
    next: "Gehört es Ihnen, tragen Sie auch seinen Schlüssel in certificates.known ein, oder seine Datei in certificates.files. Sonst lassen Sie es vom Aussteller widerrufen; siehe docs/certificate-transparency.md.",
  },
  transparency_failing: {
    says: "Die öffentlichen Verzeichnisse von Zertifikaten werden nicht vollständig beobachtet: Ein gefälschtes kann unbemerkt bleiben.",
    next: "Mehr zeigen die Einzelheiten und `journalctl -u certspotter`; der Hinweis endet einen Tag nach der letzten Störung.",
  },
  sign_ins_blocked: {
    says: "Niemand kann sich anmelden: Ein anderes Programm belegt den Port, auf dem Dovecot den Wächter nach Anmeldungen fragt. Post von außen ist nicht betroffen.",
    next: "Beenden Sie das Programm, das den Port belegt, wie in den Einzelheiten beschrieben; der Server versucht es jede Sekunde erneut.",
  },
  domain_missing: {
    says: "Konten oder Aliasse haben eine Domain, die nicht in `domains` steht: Post für sie von anderen Servern wartet dort einige Tage; die Ihrer Nutzer und die über Aliasse geht an den Server, den das DNS nennt, oder wartet hier.",
    next: "Nehmen Sie die Domain in `domains` auf, dann `config apply`; oder entfernen Sie diese Konten und Aliasse.",
  },
  dns_failing: {
    says: "Das DNS beantwortet keine Fragen zur eigenen Domain des Servers. Gilt das auch für andere Namen, so wartet Post an andere Server, und Post von ihnen kann sich verspäten.",
    next: "Rufen Sie `check --only dns` auf. Port 53 (UDP und TCP) nach außen muss offen sein, die Uhr richtig gehen, und die Nameserver der Domain müssen arbeiten; log/unbound sagt mehr.",
  },
  export_failing: {
    says: "Ereignisse erreichen den Empfänger von `export.syslog` nicht. Er bekommt sie später, doch nicht, was der Server bis dahin entfernt hat (events.max_age, events.max_rows, events.max_size).",
    next: `${WRONG_DETAIL}; siehe log/export und docs/siem.md. Der Export wird jede Minute erneut versucht; ein Verlust wird einen Tag lang gemeldet.`,
  },
  backup_failed: {
    says: "Der letzte Versuch einer Sicherung ist gescheitert.",
    next: `${WRONG_DETAIL}, dann \`backup create\`. Der Server versucht es mindestens jede Stunde erneut.`,
  },
  backup_old_kept: {
    says: "Sicherungen, die älter sind als backup.keep, ließen sich nicht entfernen: Sie brauchen immer mehr Platz.",
    next: `${WRONG_DETAIL}. Lässt die Gegenseite kein Löschen zu (append-only), entfernen Sie sie dort und beachten diesen Hinweis nicht.`,
  },
  backup_overdue: {
    says: "Seit drei Tagen wurde keine Sicherung erstellt.",
    next: "`backup create` erstellt eine und zeigt, woran es scheitert.",
  },
  backup_key_unseen: {
    says: "Der Schlüssel der Sicherungen wurde noch nie angezeigt: Geht diese Maschine verloren, kann sie niemand lesen.",
    next: "Zeigen Sie ihn mit `backup key` an, und bewahren Sie ihn außerhalb dieser Maschine auf.",
  },
  backup_drill_failed: {
    says: "Der letzte Wiederherstellungstest ist gescheitert: Die neueste Sicherung ließ sich nicht wiederherstellen, oder nicht alles darin stimmt.",
    next: `${WRONG_DETAIL}, dann \`backup drill\`. In der nächsten Nacht versucht es der Server erneut.`,
  },
  backup_drill_overdue: {
    says: "Seit Langem hat keine Sicherung den Wiederherstellungstest bestanden.",
    next: "`backup drill` führt ihn aus und zeigt, woran es scheitert.",
  },
  check_failed: {
    says: "Eine Prüfung des Servers, die bisher bestanden wurde, findet jetzt einen Fehler, oder die Prüfungen wurden nicht fertig.",
    next: "`check` zeigt, was falsch ist und was hilft. Der Hinweis endet, sobald alle früher bestandenen Prüfungen wieder bestanden sind.",
  },
  audit_broken: {
    says: "Das Prüfprotokoll wurde verändert oder lässt sich nicht prüfen.",
    next: "`audit verify` sagt, welches von beiden. In docs/audit.md steht, was dann zu tun ist.",
  },
  mail_locked: {
    says: "Der Schlüssel des Servers, mit dem verschlüsselte Post gelesen wird, fehlt: Post kommt an, aber niemand kann lesen, was er verschlüsselt.",
    next: "Legen Sie den Schlüssel an den Ort, den die Einzelheiten nennen, oder geben Sie ihn bei `encryption unlock` ein.",
  },
  mail_unencrypted: {
    says: "Neue Post wird unverschlüsselt gespeichert: Der Server hat keinen Schlüssel dafür.",
    next: "Legen Sie einen Schlüssel an den Ort, den die Einzelheiten nennen, und führen Sie dann `config apply` aus.",
  },
  recovery_key_missing: {
    says: "Der Wiederherstellungsschlüssel fehlt, also bekommen Konten keine Schlüssel: Der Schlüssel des Servers verschlüsselt die neue Post derer, die keinen haben.",
    next: "Erzeugen Sie einen mit `encryption recovery-key`, und führen Sie dann `config apply` aus.",
  },
  mail_key_unseen: {
    says: "Der Schlüssel des Servers für verschlüsselte Post wurde noch nie angezeigt: Geht er verloren, ist diese Post nicht mehr lesbar, auch nicht aus Sicherungen.",
    next: "Zeigen Sie ihn mit `encryption key` an, und bewahren Sie ihn außerhalb dieser Maschine auf.",
  },
  settings_unread: {
    says: "Die Einstellungen lassen sich nicht lesen: Es gibt keine Sicherungen und Prüfungen mehr, und hängende Teile bleiben unbemerkt.",
    next: "Korrigieren Sie die Datei: `config check` zeigt jeden Fehler. Dann `config apply`.",
  },
  dovecot_settings_unused: {
    says: "Ihre eigenen Einstellungen für Dovecot (mailboxes.dovecot) sind nicht verwendbar: Dovecot läuft ohne sie; die Post ist nicht betroffen.",
    next: "Korrigieren Sie die Datei, wie in den Einzelheiten beschrieben, dann `config apply`.",
  },
  access_review_overdue: {
    says: "Seit Langem wurde nicht geprüft, wer lesen, senden und verwalten darf.",
    next: "`access review` zeigt es; entfernen Sie Rechte, die niemand mehr braucht, dann `access review --sign`.",
  },
  retention_failed: {
    says: "Post, deren Aufbewahrungszeit abgelaufen ist, ließ sich nicht entfernen; Aufbewahrungspflichtiges blieb unberührt.",
    next: `${WRONG_DETAIL}, dann \`retention run\`. Der Server versucht es jede Stunde erneut.`,
  },
  relay_refuses: {
    says: "Ausgehende Post wartet in der Warteschlange: Der Server von `outbound.relay` nimmt sie nicht an.",
    next: `${WRONG_DETAIL}; ein neues Passwort gehört in die Datei von outbound.relay_password_file. Dann \`config apply\` und \`queue flush\`.`,
  },
  mail_unstored: {
    says: "Neue Post für Konten hier wartet in der Warteschlange: Dovecot hat sie beim letzten Versuch nicht gespeichert.",
    next: "`queue` und log/mail/mail.log zeigen den Grund. Ist er behoben, dann `queue flush`: Die Meldung endet, sobald die Post gespeichert ist.",
  },
  report_unsent: {
    says: "Der regelmäßige Bericht ließ sich nicht verschicken.",
    next: `${WRONG_DETAIL}; der Server versucht es jede Stunde erneut. \`report\` zeigt ihn hier.`,
  },
  isolated: {
    says: "Der Server ist wegen eines Vorfalls abgeschottet.",
    next: "`incident recover` prüft den Server und sagt, wie die Abschottung aufgehoben wird.",
  },
  isolation_broken: {
    says: "Der Server soll abgeschottet sein, aber die Firewall sperrt andere Adressen nicht aus.",
    next: `${WRONG_DETAIL}; der Server versucht es jede Sekunde erneut.`,
  },
  firewall_unconfirmed: {
    says: "Die Firewall soll streng sein (firewall.mode), aber jeder Port ist offen, weil sie nicht rechtzeitig bestätigt wurde.",
    next: "Führen Sie `firewall try` aus, dann `firewall confirm` in einer neuen SSH-Sitzung.",
  },
  firewall_not_strict: {
    says: "Die Firewall soll streng sein (firewall.mode), aber ihre Tabelle lässt sich nicht anlegen.",
    next: `${WRONG_DETAIL}; der Server versucht es alle fünf Sekunden erneut.`,
  },
  accounts_uncopied: {
    says: "Die Konten ließen sich nicht kopieren: Wird accounts.db jetzt beschädigt, gehen die neuesten Änderungen verloren.",
    next: "Schaffen Sie Platz auf der Platte des Datenverzeichnisses; der Server versucht es jede Sekunde erneut.",
  },
  engine_undigested: {
    says: "Der Auszug von engine.db ließ sich nicht schreiben: Geht engine.db jetzt verloren, fehlen die neuesten Änderungen an Sperren und Listen.",
    next: "Schaffen Sie Platz auf der Platte des Datenverzeichnisses; der Server versucht es jede Minute erneut.",
  },
  dashboard_password_unset: {
    says: "Die Verwaltungsseite hat kein Passwort, also kann sich niemand anmelden: accounts.db wurde neu angelegt.",
    next: "Setzen Sie eines mit `admin passwd`, und erstellen Sie die Tokens Ihrer Skripte neu: `token list` zeigt, welche es gibt.",
  },
  recovery_codes_few: {
    says: "Nur noch wenige Wiederherstellungscodes der Verwaltungsseite sind übrig: Ohne Telefon und ohne Code kommen Sie nur noch über die Konsole hinein.",
    next: "Erstellen Sie neue auf der Verwaltungsseite unter System › Sicherheit.",
  },
  accounts_unwritable: {
    says: "Geänderte Einstellungen ließen sich nicht in accounts.db schreiben: Die bisherigen Domains, gesperrten Empfänger und Netze für Anmeldungen gelten weiter.",
    next: "Sehen Sie nach, was `status` sonst zeigt: eine volle Platte oder die Sperre eines anderen Programms. Der Server versucht es alle 5 Sekunden erneut.",
  },
  maintenance_down: {
    says: "Der Wartungsprozess des Wächters läuft nicht: Entscheidungen warten manchmal auf die Platte.",
    next: "Sehen Sie in das Log des Wächters; der Prozess wird von selbst neu gestartet.",
  },
  firewall_unavailable: {
    says: "Die Firewall ist nicht nutzbar: Stattdessen lehnen Postfix und Dovecot gesperrte Adressen ab.",
    next: "Geben Sie dem Wächter CAP_NET_ADMIN und installieren Sie nftables; der Wächter versucht es von selbst erneut.",
  },
  firewall_lost: {
    says: "Ein anderes Programm hat die Tabelle der Sperren in der Firewall entfernt oder geändert: Sie war binnen Sekunden wieder da.",
    next: "Finden Sie heraus, was es war, etwa ein Neustart von nftables, eine andere Firewall oder ein Skript, das alle Regeln löscht; der Hinweis endet zehn Minuten nach dem letzten Mal.",
  },
  ports_blocked: {
    says: "Eine andere Regel der Firewall dieser Maschine verwirft alles, was an einen Mailport geht: Absender und Nutzer bekommen keine Antwort.",
    next: "Der Befehl in den Einzelheiten zeigt alle Regeln: Suchen Sie in den anderen Tabellen die, die den Port verwirft, und lassen Sie ihn dort zu.",
  },
  connections_uncounted: {
    says: "Der Kernel kann Verbindungen nicht zählen: Programme dieser Maschine können beliebig viele offen halten, und solange der Wächter nicht läuft, auch jede Adresse.",
    next: "Verwenden Sie einen Kernel mit dem Modul nft_connlimit; Postfix begrenzt seine eigenen Ports in jedem Fall.",
  },
  tracking_full: {
    says: "Die Tabelle verfolgter Verbindungen im Kernel ist fast voll: Ist sie voll, werden neue Verbindungen verworfen; offene laufen weiter.",
    next: "Vergrößern Sie sie mit dem Befehl in den Einzelheiten, und für den nächsten Start in /etc/sysctl.d.",
  },
  ports_crowded: {
    says: "Zwei Drittel der Verbindungen, die ein Mailport bedient, sind vergeben: Der Wächter beendet untätige von Fremden, und andere erst, wenn fast keine mehr frei sind.",
    next: "Nichts, wenn die Einzelheiten nur Adressen nennen, die Sie kennen: Für bekannte Orte sind Verbindungen reserviert. `ban NETWORK` hält eine Adresse fern.",
  },
  dnsbl_set_aside: {
    says: "Eine DNS-Sperrliste antwortet nicht oder falsch und wird vorerst nicht gefragt: Post wird ohne sie angenommen.",
    next: "Erholt sie sich nicht, verlangt sie vielleicht ein Konto; sonst entfernen Sie sie aus dnsbl.zones. Sie wird von selbst wieder geprüft.",
  },
  greylist_silent: {
    says: "Postgrey antwortet nicht: Post von Fremden wird ohne Greylisting angenommen.",
    next: `${RESTARTED} log/postgrey.`,
  },
  verifier_silent: {
    says: "Rspamd antwortet nicht: Post kann weder geprüft noch signiert werden (DKIM, SPF, DMARC). Absender versuchen es später wieder, und Post von Nutzern wartet.",
    next: `${RESTARTED} log/rspamd.`,
  },
  resolver_silent: {
    says: "Der Resolver antwortet nicht: Post verspätet sich, Sperrlisten werden nicht gefragt, und Post an andere Server wartet in der Warteschlange.",
    next: `${RESTARTED} log/unbound.`,
  },
  postfix_silent: {
    says: "Ein Teil von Postfix antwortet nicht: Post wartet in der Warteschlange, oder sie wird nicht angenommen, und Absender versuchen es später wieder.",
    next: `${RESTARTED} log/mail/mail.err.`,
  },
  dovecot_silent: {
    says: "Ein Teil von Dovecot antwortet nicht: Anmeldungen können scheitern, und neue Post wartet in der Warteschlange.",
    next: `${RESTARTED} log/mail/mail.log.`,
  },
  fail2ban_silent: {
    says: "Fail2ban antwortet nicht: Seine Jails melden nichts. Die Grenzen und Sperren des Wächters gelten weiter.",
    next: `${RESTARTED} log/fail2ban.`,
  },
  web_silent: {
    says: "Die Verwaltungsseite antwortet nicht: Post, Sperren und Kommandozeile sind nicht betroffen.",
    next: `${RESTARTED} log/web.`,
  },
  service_unstable: {
    says: "Ein Programm des Servers beendet sich immer wieder: Es wird jedes Mal neu gestartet, aber was es gerade tat, bricht ab.",
    next: "Die Ursache steht in seinem Log unter log/; `restart` setzt die Zählung zurück. Der Hinweis endet, sobald es zwei Stunden gelaufen ist.",
  },
  process_stopped: {
    says: "Ein Programm des Servers wurde durch ein Signal angehalten (SIGSTOP) und tut nichts, bis es fortgesetzt wird.",
    next: "Führen Sie den Befehl in den Einzelheiten aus. Ein Programm, das ein Log schreibt, wird von selbst fortgesetzt, und ein Teil, der nicht antwortet, neu gestartet.",
  },
  clock_jumped: {
    says: "Die Uhr der Maschine wurde um mehr als 10 s verstellt. Sperren, Grenzen und Sitzungen richten sich fünf Minuten lang nach der alten Zeit, danach nach der neuen.",
    next: "Ist die neue Zeit falsch, korrigiert sie der Befehl in den Einzelheiten. Ist sie richtig, müssen Sie nichts tun.",
  },
  events_aggregated: {
    says: "Die Grenze der verzeichneten Ereignisse ist erreicht: Die ältesten wurden entfernt, und nur ihre Summen je Stunde bleiben erhalten.",
    next: "Sperren und Grenzen gelten weiter. Mit events.max_rows und events.max_size bewahren Sie mehr Ereignisse auf.",
  },
  keeper_unreachable: {
    says: "Der Keeper antwortet nicht: Neue Konfiguration wird nicht angewendet, Sitzungen eines Kontos werden nicht beendet, und ein gestörter Dienst fällt nicht auf und wird nicht neu gestartet.",
    next: "Sehen Sie in das Log des Keepers; `status` zeigt, ob er läuft.",
  },
  certificate_refused: {
    says: "Die Dateien von tls.cert und tls.key sind nicht brauchbar: Das bisherige Zertifikat bleibt in Gebrauch.",
    next: "Legen Sie eine gültige Zertifikatskette und ihren Schlüssel dorthin; binnen Sekunden werden sie von selbst verwendet. Ein abgelaufenes selbst signiertes erneuert der nächste Start des Servers.",
  },
  certificate_expiring: {
    says: "Das TLS-Zertifikat läuft bald ab: Dann verbinden sich Mailprogramme nicht mehr.",
    next: "Erneuern Sie es: docs/tls.md sagt, wie, und woran das scheitern kann. Ein selbst signiertes erneuert der nächste Start des Servers.",
  },
  certificate_expired: {
    says: "Das TLS-Zertifikat ist abgelaufen: Mailprogramme verbinden sich nicht mehr, und Server, die es prüfen, liefern keine Post ab.",
    next: "Legen Sie ein erneuertes mit seinem Schlüssel in die Dateien von tls.cert und tls.key; binnen Sekunden wird es verwendet. Sind die beiden Einstellungen leer, erneuert `restart` das selbst signierte.",
  },
  accounts_file_refused: {
    says: "Die Datei von accounts.follow ließ sich nicht ganz verwenden; kein Konto wurde deswegen stillgelegt.",
    next: "Korrigieren oder entfernen Sie, was die Einzelheiten nennen; die Datei wird von selbst wieder gelesen.",
  },
  accounts_file_ignored: {
    says: "Die Datei von accounts.follow hat Felder, die dieser Server nicht verwendet; alles andere darin gilt.",
    next: "Entfernen Sie die Felder, die in den Einzelheiten stehen; die Datei wird von selbst wieder gelesen.",
  },
  all_clients_private: {
    says: "Alle Verbindungen scheinen von einer privaten Adresse zu kommen, sodass Angreifer und Nutzer nicht zu unterscheiden sind.",
    next: "Lassen Sie den Proxy oder das Netz der Container die echten Adressen der Clients weitergeben.",
  },
  bans_in_force: {
    says: "Viele Adressen sind zugleich gesperrt.",
    next: "Vielleicht läuft ein Angriff: `bans` zeigt sie mit ihren Gründen, `unban IP` hebt eine Sperre auf. alerts.thresholds.bans_in_force bestimmt, wie viele bei Ihnen üblich sind.",
  },
  bans_leak: {
    says: "Eine gesperrte Adresse erreicht noch einen Mailserver, obwohl ihre Sperre in der Firewall steht.",
    next: "Der Wächter hat seine Tabelle neu aufgebaut. Dauert es an, rufen Sie `check --only firewall` auf.",
  },
  spam_filter_down: {
    says: "SpamAssassin antwortet nicht: Post wird unbewertet angenommen oder muss warten, wenn spam.on_failure das vorsieht.",
    next: `${RESTARTED} log/spamd und log/spamass-milter.`,
  },
  component_outdated: {
    says: "Debian hat einen Bestandteil erneuert, und der Server läuft noch nicht mit der neuen Version.",
    next: `${WRONG_DETAIL}. Der Server versucht es alle zehn Minuten erneut, und nach der nächsten Änderung eines Pakets.`,
  },
  detector_stopped: {
    says: "Ein Programm, das nach Angriffen oder fremden Zertifikaten sucht, läuft nicht mehr: Was es melden würde, bleibt unbemerkt.",
    next: "Starten Sie, was die Einzelheiten nennen, zum Beispiel mit `systemctl start psad`, oder leeren Sie die Einstellung.",
  },
  detector_unread: {
    says: "Das Log von Suricata oder psad lässt sich nicht lesen: Was darin gemeldet wird, bleibt unbemerkt.",
    next: "Legen Sie die Datei in den Einzelheiten an, oder erlauben Sie dem Benutzer ghostinbox, sie zu lesen, auch nach jeder Rotation (docs/intrusion-detection.md), oder leeren Sie die Einstellung.",
  },
  spam_rules_old: {
    says: "Die Regeln des Spamfilters ließen sich seit einer Woche nicht aktualisieren: Neue Arten von Spam können durchkommen.",
    next: `${WRONG_DETAIL}, dann \`spam update\`. Der Server versucht es jeden Tag erneut; die bisherigen Regeln bleiben in Gebrauch.`,
  },
  simulating: {
    says: "Die Einstellungen sagen `simulate`: Alles wird entschieden und verzeichnet, aber nichts abgelehnt und keine Adresse gesperrt.",
    next: "`events` zeigt, was geschehen wäre. Entfernen Sie `simulate` aus den Einstellungen, dann `config apply`.",
  },
  proxy_not_trusted: {
    says: "Anfragen an die Verwaltungsseite oder die API kommen durch einen Proxy, den die Einstellungen nicht nennen: Sie zählen für den Proxy, nicht für seine Clients.",
    next: "Ist die Adresse in den Einzelheiten Ihr Proxy, und setzt oder ergänzt er `X-Forwarded-For`, nehmen Sie ihn in `http.trusted_proxies` auf oder, wenn dort ein Benutzer steht, diesen in `http.proxy_users`, dann `config apply`. Nehmen Sie nicht auf, was nur Verbindungen weiterreicht, etwa Docker oder ein NAT: Alle, die so kommen, könnten jede Adresse vortäuschen.",
  },
  alerts_undelivered: {
    says: "Ein Kanal oder der Heartbeat funktioniert nicht: Darüber kommt nichts an.",
    next: "`alerts test` zeigt, was jeder Kanal antwortet. Er wird von selbst erneut versucht; die anderen Kanäle funktionieren weiter.",
  },
  disk_read_only: {
    says: "Das Dateisystem des Datenverzeichnisses ist schreibgeschützt: Keine Post wird angenommen, sodass Absender es später wieder versuchen, Nutzer können sich nicht anmelden, und nichts wird verzeichnet oder gesperrt.",
    next: "Versuchen Sie den Befehl in den Einzelheiten. Scheitert er, zeigt `dmesg` einen Fehler der Platte: Halten Sie den Server an, prüfen Sie die Platte mit fsck, hängen Sie sie ein, und starten Sie den Server.",
  },
  disk_full: {
    says: "Die Platte ist voll: Post wird abgelehnt.",
    next: "Schaffen Sie Platz, oder entfernen Sie Dateien, wenn die Inodes ausgehen. Danach wird Post binnen Sekunden wieder angenommen; Absender versuchen es tagelang.",
  },
  disk_nearly_full: {
    says: "Die Platte des Datenverzeichnisses ist fast voll.",
    next: "Schaffen Sie Platz, oder entfernen Sie Dateien, wenn die Inodes ausgehen, bevor alle Post abgelehnt wird (452): Post an andere Server, weitergeleitete und angehaltene wird schon abgelehnt.",
  },
  disk_filling: {
    says: "Die Platte des Servers füllt sich.",
    next: "Schaffen Sie Platz oder vergrößern Sie die Platte, bevor Post abgelehnt wird. Der Befehl in den Einzelheiten zeigt, was ihn braucht; alerts.thresholds.disk bestimmt, wann diese Meldung kommt.",
  },
  disk_low: {
    says: "Auf der Platte des Servers ist wenig Platz.",
    next: "Schaffen Sie jetzt Platz oder vergrößern Sie die Platte: Ist sie voll, wird Post abgelehnt (452).",
  },
  mailbox_overused: {
    says: "Der Nutzer eines Postfachs beansprucht zu viel vom Server: mehr Platz, als sein Kontingent erlaubt, viel Arbeitsspeicher, sehr viele Sitzungen oder endlos neue Ordner.",
    next: "Fragen Sie den Nutzer. War es jemand anderes, ist das Passwort gestohlen: `account passwd` setzt ein neues und beendet alle Sitzungen.",
  },
};

export const germanConditions: Readonly<Record<ConditionCode, Omit<ConditionText, "severity">>> = {
  failed_logins: {
    says: "Viele Anmeldungen scheitern.",
    matters: "Vielleicht rät jemand Passwörter. Wer von einer Adresse aus rät, wird von selbst gesperrt.",
    next: "`events --type LOGIN_FAILED` listet sie auf; `why IP` zeigt, was über eine Adresse entschieden wurde.",
  },
  dashboard_logins: {
    says: "Anmeldungen an der Verwaltungsseite scheitern.",
    matters: "Wer dort hineinkommt, beherrscht den Server.",
    next: "Waren Sie es nicht: Halten Sie die Seite vom Internet fern (http.address); `admin passwd` setzt ein neues Passwort.",
  },
  password_guessed: {
    says: "Eine Anmeldung gelang nach vielen falschen Passwörtern.",
    matters:
      "Das Passwort wurde wohl erraten. Der Angreifer kann die Post lesen und im Namen des Nutzers Spam verschicken.",
    next: `${ASK_USER} Ist es admin, das Konto der Verwaltungsseite, setzt \`admin passwd\` ein neues Passwort.`,
  },
  login_after_guesses: {
    says: "Eine Anmeldung gelang von dort, wo Anmeldungen bei anderen Konten scheiterten.",
    matters:
      "Wer an vielen Konten Passwörter durchprobiert, hat wohl eines gefunden. Er kann die Post lesen und im Namen des Nutzers schreiben.",
    next: ASK_USER,
  },
  login_new_place: {
    says: "Ein Konto hat sich aus einem Netz angemeldet, aus dem es nie benutzt wurde.",
    matters: "Der Nutzer ist auf Reisen oder hat einen neuen Anschluss, oder jemand anderes hat das Passwort.",
    next: "Kennt der Nutzer den Ort nicht, setzt `account passwd ADDRESS` ein neues Passwort.",
  },
  spraying: {
    says: "Aus vielen Netzen werden die Passwörter vieler Konten geraten.",
    matters:
      "Bis das aufhört, wird an neuen Orten nur ein Passwort geprüft, das richtig aussieht. Nutzer können sich überall anmelden.",
    next: LET_IN,
  },
  known_address_capped: {
    says: "Zu viele falsche Passwörter kamen von einer Adresse, die ein Konto kennt, oder von diesem Rechner.",
    matters:
      "Jemand hinter dieser Adresse rät, oder jemand hat dort ein Gerät oder Programm übernommen. Nur ein Passwort, das richtig aussieht, wird dort noch geprüft.",
    next: "Fragen Sie den Nutzer, dem die Adresse gehört; `why IP` zeigt, was versucht wurde. `allow add IP --for 1d` hebt die Grenze auf, außer für diesen Rechner, sein Gateway und Proxys.",
  },
  account_guarded: {
    says: "Von vielen Adressen wird das Passwort eines Kontos geraten.",
    matters:
      "Bis das aufhört, wird an neuen Orten nur ein Passwort geprüft, das richtig aussieht. Der Nutzer kann sich überall anmelden.",
    next: LET_IN,
  },
  right_password_refused: {
    says: "Eine Anmeldung mit dem anscheinend richtigen Passwort wurde abgelehnt.",
    matters:
      "An einem Tag wurden so viele Passwörter für das Konto geraten, dass an neuen Orten nicht einmal ein Passwort geprüft wird, das richtig aussieht. Entweder ist der Nutzer dort ausgesperrt, oder jemand anderes kennt das Passwort.",
    next: "War es der Nutzer: `allow add IP --for 1d`; sonst `account passwd ADDRESS`.",
  },
  account_held: {
    says: "Die Post eines Kontos wird angehalten.",
    matters:
      "Das Konto schrieb an viele, denen es nie geschrieben hatte, oder viele lehnten seine Post ab. Vielleicht hat jemand sein Passwort und verschickt Spam. Nichts davon geht hinaus, bevor Sie entscheiden.",
    next: "`account held ADDRESS` zeigt die Post; fragen Sie den Nutzer. Hat er sie geschrieben: `account release ADDRESS`. Sonst `account suspend ADDRESS`, `account drop ADDRESS`, dann `account passwd ADDRESS`, `account resume ADDRESS` und `account release ADDRESS`.",
  },
  sending_limited: {
    says: "Ein Konto hat seine Versandgrenze erreicht.",
    matters: "Weitere Post muss warten. Der Nutzer schreibt viel, oder jemand hat sein Passwort.",
    next: "`account held ADDRESS` zeigt, was es verschickt hat; erhöhen Sie limits.sending oder limits.mail für den Nutzer, oder `account suspend ADDRESS`.",
  },
  unusual_connections: {
    says: "Ungewöhnlich viele Adressen verbinden sich zugleich.",
    matters: "Das kann ein Angriff von vielen Rechnern oder eine Flut von Spam sein.",
    next: "`stats` zeigt die aktivsten Adressen; `ban NETWORK` sperrt ein Netz.",
  },
  volume_spike: {
    says: "Es geschieht weit mehr als üblich.",
    matters: "Das kann ein Angriff sein, eine Flut von Post oder ein Konto, das Spam verschickt. Alle Grenzen gelten.",
    next: "`stats` zeigt, was geschieht und von wo.",
  },
  spam_volume: {
    says: "Viel Spam kommt an.",
    matters: "Erkannter Spam füllt die Junk-Ordner der Nutzer, und mancher bleibt vielleicht unerkannt.",
    next: "`events --type SPAM_SCORED` und `events --type EMAIL_BLOCKED` zeigen ihn; mit einem kleineren spam.refuse_score wird mehr abgelehnt.",
  },
  many_bans: {
    says: "In kurzer Zeit wurden viele Adressen gesperrt.",
    matters: "Ein Angriff läuft. Sind eigene Nutzer darunter, ist eine Grenze zu eng.",
    next: "`bans` listet sie mit ihren Gründen auf; `unban IP` hebt eine Sperre auf.",
  },
  repeated_violations: {
    says: "Gesperrte Adressen kamen zurück und wurden wieder gesperrt.",
    matters: "Sie werden nicht von selbst aufhören.",
    next: "`bans` listet sie auf; `ban NETWORK --permanent` beendet es; bans.permanent tut das von selbst.",
  },
  mail_undelivered: {
    says: "Hier angenommene Post wurde nicht zugestellt: Der Server hinter einem Alias oder hinter einer Adresse für Meldungen, oder ein Postfach, lehnte sie ab oder nahm sie nicht rechtzeitig an.",
    matters: "Der Empfänger bekommt sie nicht. Der Absender bekommt nur dann einen Bericht, wenn SPF ihn bestätigt.",
    next: "`events --type EMAIL_BOUNCED` zeigt die Antworten; gibt es ein Ziel nicht mehr, entfernen Sie den Alias und legen ihn mit den übrigen neu an. Meldungen brauchen in `alerts.email` eine Adresse, die sie annimmt.",
  },
  web_overreach: {
    says: "Das Webprogramm ging über das hinaus, was es darf.",
    matters:
      "Im normalen Betrieb kommt das kaum vor: Wahrscheinlich hat jemand das Programm hinter der Verwaltungsseite und der API übernommen.",
    next: "`events --type COMMAND_REFUSED` zeigt, was es verlangte. Halten Sie die Seite vom Internet fern (http.address), prüfen Sie `token list`, widerrufen Sie mit `token revoke`, und erneuern Sie die Software.",
  },
  web_token: {
    says: "Über die Verwaltungsseite wurde ein Token der API erstellt.",
    matters:
      "Es gilt, bis es abläuft oder widerrufen wird, auch nach einem neuen Passwort. Haben Sie es nicht erstellt, so hat jemand Ihre Sitzung, oder hat das Programm hinter der Seite übernommen.",
    next: "`token list` zeigt, was es darf. Waren Sie es nicht: `incident open TITLE`, dann `incident contain --tokens --dashboard`.",
  },
  web_account: {
    says: "Über die Verwaltungsseite oder „Mein Postfach“ wurde ein Konto oder ein Alias geändert.",
    matters:
      "Wer ein Konto oder einen Alias hat, kann dessen Post lesen. Waren es weder Sie noch der Nutzer, so hat jemand diese Sitzung und das Passwort, oder hat das Programm hinter der Seite übernommen.",
    next: "`account list` zeigt die Konten, `audit list`, was getan wurde. Waren Sie es nicht: `incident open TITLE`, dann `incident contain --tokens --dashboard ACCOUNT`.",
  },
  web_factor: {
    says: "Ein zweiter Faktor der Anmeldung an der Verwaltungsseite wurde eingerichtet, erneuert oder entfernt.",
    matters:
      "Mit ihm öffnet sich die Seite, oder sie öffnet sich für Sie nicht mehr. Waren Sie es nicht, so hat jemand Ihre Sitzung und Ihr Passwort.",
    next: "Waren Sie es nicht: `incident open TITLE`, dann `incident contain --tokens --dashboard`; das entfernt auch jeden zweiten Faktor.",
  },
  recovery_code_used: {
    says: "Jemand hat sich an der Verwaltungsseite mit einem Wiederherstellungscode statt mit der Authenticator-App angemeldet.",
    matters: "Der Code ist verbraucht. Waren Sie es nicht, so hat jemand Ihr Passwort und Ihre Liste der Codes.",
    next: "Waren Sie es nicht: `admin passwd` und `admin reset-2fa`. Ist das Telefon verloren, richten Sie ein anderes ein.",
  },
  second_factor_guessed: {
    says: "Bei der Anmeldung an der Verwaltungsseite folgten auf das richtige Passwort falsche Codes.",
    matters: "Wenn nicht Sie sich vertippt haben, hat jemand Ihr Passwort, und nur der zweite Faktor hält ihn draußen.",
    next: "Waren Sie es nicht, setzen Sie mit `admin passwd` ein neues Passwort; siehe docs/dashboard.md.",
  },
  password_without_code: {
    says: "Das Passwort der Verwaltungsseite war richtig, aus einem Netz ohne frühere Anmeldung, und es kam kein Code.",
    matters: "Wenn nicht Sie sich dort anmelden, hat jemand Ihr Passwort, und nur der zweite Faktor hält ihn draußen.",
    next: "Waren Sie es nicht, setzen Sie mit `admin passwd` ein neues Passwort; siehe docs/dashboard.md.",
  },
  web_settings: {
    says: "Über die Verwaltungsseite wurden Einstellungen geändert.",
    matters:
      "Grenzen können weiter sein, als Sie denken. Waren Sie es nicht, so hat jemand Ihre Sitzung und Ihr Passwort, oder hat das Programm hinter der Seite übernommen.",
    next: "`events --type SETTINGS_APPLIED` zeigt jeden Wert vorher und nachher; unter System › Einstellungen lässt sich die letzte Änderung 15 Minuten lang zurücknehmen, später mit `config set`. Waren Sie es nicht: `incident open TITLE`, dann `incident contain --dashboard --tokens`.",
  },
  web_passkey: {
    says: "Ein Passkey der Verwaltungsseite wurde hinzugefügt oder entfernt.",
    matters:
      "Ein Passkey öffnet die Seite ohne das Passwort, auch nach einem neuen Passwort. Waren Sie es nicht, so hat jemand Ihre Sitzung und Ihren Nachweis.",
    next: "System › Sicherheit zeigt die Passkeys. Waren Sie es nicht: `incident open TITLE`, dann `incident contain --tokens --dashboard`.",
  },
  web_new_network: {
    says: "Über die Verwaltungsseite oder „Mein Postfach“ wurde etwas aus einem Netz geändert, das dort noch nie benutzt wurde.",
    matters:
      "Sie oder der Nutzer sind unterwegs oder haben einen neuen Anschluss, oder jemand hat das Passwort oder die Sitzung und sichert sich den Zugang.",
    next: "Waren Sie es nicht: `incident open TITLE`, dann `incident contain --tokens --dashboard`, mit dem Konto, falls eines genannt ist. `audit list` zeigt, was getan wurde.",
  },
  passkey_copied: {
    says: "Ein Passkey der Verwaltungsseite wurde abgelehnt, weil sein Zähler zurückging.",
    matters:
      "Es muss eine Kopie davon geben: Vielleicht hat jemand Ihren Schlüssel geklont. Der Wächter hatte schon eine spätere Signatur gesehen.",
    next: "Entfernen Sie den Passkey unter System › Sicherheit, und beenden Sie dort alle anderen Sitzungen: Die Kopie kann sich angemeldet haben. Fügen Sie dann einen Passkey von einem Schlüssel hinzu, dem Sie trauen.",
  },
  component_down: {
    says: "Ein Teil des Servers läuft nicht.",
    matters:
      "Ohne Postfix, Dovecot oder Rspamd kommt keine Post an oder geht keine hinaus; ohne einen anderen Teil fehlt sein Schutz.",
    next: "`status` zeigt, was läuft; die Logs liegen unter log/ im Datenverzeichnis.",
  },
};
