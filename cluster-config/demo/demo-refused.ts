/** A reason why the demo does not start that its user can do something about; shown without a stack. */
export class DemoRefused extends Error {
  override readonly name = 'DemoRefused';
}
