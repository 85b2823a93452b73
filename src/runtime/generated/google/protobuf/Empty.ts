// Made by scripts/generate-types.ts: do not edit.
// @ts-nocheck


export interface Empty {
}

export interface Empty__Output {
}
