/** Milliseconds since the UNIX epoch. */
export type Millis = number;
