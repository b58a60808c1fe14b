// Only what is near enough to be meant is suggested, however much is known.
import { describe, expect, it } from 'vitest';
import { nearestNameHint, nearName } from '../../src/model/nearest-name.ts';

const many = Array.from({ length: 30 }, (_, index) => `column_${index}`);

describe('a misspelt name', () => {
  it('is answered with the name that is near', () => {
    expect(nearestNameHint('colum_7', many)).toBe('did you mean column_7?');
    expect(nearName('task.timeot', ['task.timeout', 'parallelism.default'])).toBe('task.timeout');
  });

  it('is answered with what is known where none is near', () => {
    expect(nearestNameHint('zz', ['alpha', 'beta'])).toBe('known here: alpha, beta');
    expect(nearestNameHint('zz', many)).toMatch(/^known here: column_0, .*column_11, … \(30 in all\)$/);
    expect(nearName('foo', ['task.timeout'])).toBeNull();
    expect(nearName('foo', [])).toBeNull();
  });
});
