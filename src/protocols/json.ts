/** Parsed JSON, as it goes from one wire format to another. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject
export type JsonObject = { [name: string]: JsonValue | undefined }
