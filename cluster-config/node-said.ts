/** What one node said to a question that several were asked, or why it said nothing. */
export type NodeSaid = { readonly node: string; readonly answer: unknown } | { readonly node: string; readonly complaint: string };

export interface NodeQuestion {
  readonly path: string;
  /** Makes it a POST. */
  readonly body?: object | undefined;
}
