/** The vocabulary's file, as a path at run time. */
declare module '*.tiktoken' {
  const path: string
  export default path
}
