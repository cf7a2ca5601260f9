import type { X509Certificate } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { codeOf, messageOf } from "../../core/error.ts";
import { PortDialogue, SMTP_REPLY } from "./port-dialogue.ts";

/** A TLS port of the server, how TLS starts there, and how its protocol ends. */
export type Door = Readonly<{ name: string; port: number; tlsStart: "at_once" | "starttls"; goodbye: string }>;
export type Handshake =
  | Readonly<{
      ok: true;
      protocol: string;
      cipher: string;
      certificate: X509Certificate | null;
      /** Why no public authority vouches for it; null: one does. */
      distrust: string | null;
    }>
  | Readonly<{ ok: false; code: string; says: string; stage: "connect" | "tls" }>;

export type HandshakeOptions = Readonly<{
  localAddress: string;
  /** The name for SNI (RFC 6066 section 3). */
  servername: string;
  timeoutMs: number;
  /** The offered protocol versions; default: those usual today. */
  offer?: Offer | undefined;
  /** An address of this machine; otherwise loopback. */
  host?: string | undefined;
}>;

export type Offer = Pick<ConnectionOptions, "minVersion" | "maxVersion" | "ciphers">;
/** Versions that servers must refuse today (RFC 8996; RFC 9325 section 4.1). Below security level 1 OpenSSL offers all it has. */
export const OFFERS = {
  old: { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
  weak: { maxVersion: "TLSv1.2", ciphers: "aNULL:eNULL:LOW:EXPORT:RC4:3DES:MD5:@SECLEVEL=0" },
} as const satisfies Record<string, Offer>;

/** Starts TLS at a port as a client does, and ends. Never throws. */
export async function handshake(door: Door, options: HandshakeOptions): Promise<Handshake> {
  const { localAddress, servername, timeoutMs, offer, host } = options;
  const tls: ConnectionOptions = {
    servername,
    // The caller verifies the certificate.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...offer,
  };
  let stage: "connect" | "tls" = door.tlsStart === "at_once" ? "tls" : "connect";
  try {
    const target = { host, port: door.port, localAddress, timeoutMs };
    const dialogue = await PortDialogue.open(door.tlsStart === "at_once" ? { ...target, tls } : target);
    try {
      if (door.tlsStart === "starttls") {
        await dialogue.hears(SMTP_REPLY);
        await dialogue.ask("EHLO probe.localhost");
        const answer = await dialogue.ask("STARTTLS");
        if (!answer.startsWith("220")) return { ok: false, code: "no_starttls", says: answer.trim(), stage };
        stage = "tls";
        await dialogue.startTls(tls);
      }
      const found = foundBy(dialogue);
      dialogue.close(door.goodbye);
      return found;
    } catch (error) {
      dialogue.close();
      throw error;
    }
  } catch (error) {
    const code = codeOf(error);
    const refused = code.startsWith("ECONNREFUSED") || code.startsWith("EADDR");
    return { ok: false, code, says: messageOf(error), stage: refused ? "connect" : stage };
  }
}

function foundBy({ tls }: PortDialogue): Handshake {
  if (tls === null) return { ok: false, code: "plain", says: "speaks no TLS", stage: "tls" };
  return {
    ok: true,
    protocol: tls.getProtocol() ?? "",
    cipher: tls.getCipher().name,
    certificate: tls.getPeerX509Certificate() ?? null,
    distrust: tls.authorized ? null : String(tls.authorizationError),
  };
}
