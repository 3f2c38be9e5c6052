/** A provider's time of answer would make equal requests differ, so every answer is from then. */
export const CREATED_SECONDS = 1_750_000_000
