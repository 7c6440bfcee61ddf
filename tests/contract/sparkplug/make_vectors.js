// Encodes Sparkplug B payloads with the npm package sparkplug-payload, as other plants' edge nodes do, and prints them as
// JSON: what was given and the bytes it became, in hex. `node make_vectors.js FOLDER`, where FOLDER has node_modules.
"use strict";
const path = require("path");
const folder = path.resolve(process.argv[2] || ".");
const sparkplug = require(path.join(folder, "node_modules", "sparkplug-payload")).get("spBv1.0");
const Long = require(path.join(folder, "node_modules", "long"));

const T = 1767225600000; // 2026-01-01T00:00:00Z
const long = (text, unsigned) => Long.fromString(text, unsigned);

// [type, value given to the package, value expected (texts for integers beyond 2^53, hex for bytes)]
const values = [
  ["Int8", 0, 0], ["Int8", 127, 127], ["Int8", -128, -128], ["Int8", -5, -5],
  ["Int16", 32767, 32767], ["Int16", -32768, -32768], ["Int16", -300, -300],
  ["Int32", 2147483647, 2147483647], ["Int32", -2147483648, -2147483648], ["Int32", -1, -1],
  ["Int64", 0, "0"], ["Int64", -5, "-5"], ["Int64", long("9223372036854775807"), "9223372036854775807"],
  ["Int64", long("-9223372036854775808"), "-9223372036854775808"],
  ["UInt8", 0, 0], ["UInt8", 255, 255], ["UInt16", 65535, 65535],
  ["UInt32", 0, 0], ["UInt32", 4294967295, 4294967295],
  ["UInt64", 7, "7"], ["UInt64", long("18446744073709551615", true), "18446744073709551615"],
  ["Float", 1.5, 1.5], ["Float", -0.15625, -0.15625], ["Float", 3.4028234663852886e38, 3.4028234663852886e38],
  ["Double", 0.1, 0.1], ["Double", -1.7976931348623157e308, -1.7976931348623157e308], ["Double", 5e-324, 5e-324],
  ["Boolean", true, true], ["Boolean", false, false],
  ["String", "bracket-a", "bracket-a"], ["String", "", ""], ["Text", "금형 교체", "금형 교체"],
  ["UUID", "8f14e45f-ceea-467f-9575-1b2f4e7a3c2d", "8f14e45f-ceea-467f-9575-1b2f4e7a3c2d"],
  ["DateTime", T, String(T)],
  ["Bytes", new Uint8Array([0, 255, 16]), "00ff10"], ["File", new Uint8Array([80, 75, 3, 4]), "504b0304"],
];
const refused = [
  ["DataSet", {
    numOfColumns: 2, columns: ["a", "b"], types: ["Double", "String"], rows: [[1.5, "x"], [2.5, "y"]],
  }],
  ["Template", {
    version: "1", isDefinition: false, templateRef: "motor",
    metrics: [{ name: "rpm", value: 1450, type: "Int32" }], parameters: [],
  }],
];
const hex = (payload) => Buffer.from(sparkplug.encodePayload(payload)).toString("hex");

const vectors = values.map(([type, value, expected]) => ({
  type, expected, hex: hex({ timestamp: T, seq: 3, metrics: [{ name: "m", timestamp: T + 1, type, value }] }),
}));
const refusals = refused.map(([type, value]) => ({
  type, hex: hex({ timestamp: T, seq: 3, metrics: [{ name: "m", timestamp: T + 1, type, value }] }),
}));

const birth = (name, alias, type, value, more) => ({ name, alias, timestamp: T, type, value, ...more });
const data = (alias, type, value, more) => ({ alias, timestamp: T + 1000, type, value, ...more });
const conversation = [
  ["spBv1.0/plant/NBIRTH/cell-1", { timestamp: T, seq: 0, metrics: [
    { name: "bdSeq", timestamp: T, type: "Int64", value: 4 },
    { name: "Node Control/Rebirth", timestamp: T, type: "Boolean", value: false },
    birth("Power", 1, "Float", 12.5),
  ] }],
  ["spBv1.0/plant/DBIRTH/cell-1/press", { timestamp: T, seq: 1, metrics: [
    birth("Inputs/A3", 2, "Double", 61.25, { properties: { engUnit: { type: "String", value: "degC" } } }),
    birth("Inputs/A4", 3, "Int16", -12, { metadata: { description: "pressure" } }),
    birth("Recipe", 4, "String", "bracket-a"),
    birth("Running", 5, "Boolean", true),
  ] }],
  ["spBv1.0/plant/DDATA/cell-1/press", { timestamp: T + 1000, seq: 2, metrics: [
    data(2, "Double", 61.5), data(3, "Int16", -13), data(4, "String", "bracket-b"), data(5, "Boolean", false),
  ] }],
  ["spBv1.0/plant/NDATA/cell-1", { timestamp: T + 1000, seq: 3, metrics: [data(1, "Float", 13.5)] }],
  ["spBv1.0/plant/DDATA/cell-1/press", { timestamp: T + 1000, seq: 4, metrics: [
    { alias: 2, timestamp: T - 7 * 86400000, type: "Double", value: 55.5, isHistorical: true },
    { alias: 3, timestamp: T + 1000, type: "Int16", value: null, isNull: true },
  ] }],
  ["spBv1.0/plant/DDEATH/cell-1/press", { timestamp: T + 2000, seq: 5, metrics: [] }],
  ["spBv1.0/plant/NDEATH/cell-1", { timestamp: T, metrics: [
    { name: "bdSeq", timestamp: T, type: "Int64", value: 4 },
  ] }],
].map(([topic, payload]) => ({ topic, hex: hex(payload) }));

process.stdout.write(JSON.stringify({ made_by: "sparkplug-payload 1.0.3", vectors, refusals, conversation }, null, 1) + "\n");
