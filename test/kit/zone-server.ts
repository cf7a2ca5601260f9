import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { after } from "node:test";
import type { DnsRecord } from "../../src/mail/dns/records.ts";

type Zone = readonly Pick<DnsRecord, "name" | "type" | "value">[];

export const TYPES = { A: 1, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const;
export const SERVFAIL = 2;
export const NXDOMAIN = 3;

/** A name server on UDP that knows only these records (RFC 1035, 4); `absent`: its code for other names. Returns its `address:port`; ends with the test. */
export async function zoneServer(zone: Zone, absent = NXDOMAIN): Promise<string> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => socket.send(answerTo(query, zone, absent), from.port, from.address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

function answerTo(query: Buffer, zone: Zone, absent: number): Buffer {
  const question = readQuestion(query);
  const named = zone.filter(({ name }) => name.toLowerCase() === question.name);
  const found = named.filter((record) => TYPES[record.type] === question.type);
  const values = found.map(({ value }) => value);
  return reply(query, question, values, named.length === 0 ? absent : 0);
}

export type Question = Readonly<{ name: string; type: number; end: number }>;

export function readQuestion(query: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Answers with these values; time to live 0, so that no answer is cached. */
export function reply(query: Buffer, { type, end }: Question, values: readonly string[], code = 0): Buffer {
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x84_00 | code, 2);
  head.writeUInt16BE(values.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...values.map((value) => record(type, dataOf(type, value)))]);
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf(type: number, value: string): Buffer {
  const words = value.split(" ");
  const numbers = words.slice(0, -1).flatMap((word) => [Number(word) >> 8, Number(word) & 0xff]);
  switch (type) {
    case TYPES.A:
    case TYPES.AAAA:
      return addressData(value);
    case TYPES.TXT:
      return Buffer.concat((value.match(/.{1,255}/g) ?? [""]).map((piece) => labelOf(piece)));
    default:
      return Buffer.concat([Buffer.from(numbers), nameData(words.at(-1) ?? "")]);
  }
}

function addressData(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [left = "", right = ""] = address.split("::");
  const groups = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
  const zeros = Array<string>(8 - groups(left).length - groups(right).length).fill("0");
  return Buffer.from(
    [...groups(left), ...zeros, ...groups(right)].map((group) => group.padStart(4, "0")).join(""),
    "hex",
  );
}

function nameData(name: string): Buffer {
  return Buffer.concat([...name.replace(/\.$/, "").split(".").map(labelOf), Buffer.from([0])]);
}

const labelOf = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, "latin1")]);
