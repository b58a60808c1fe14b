// What one part of the benchmark reports.
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}
