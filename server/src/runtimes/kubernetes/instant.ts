/** A time as it comes with a list (a Date) or in a watch (text); undefined for none and for 1970, Go's word for none. */
export function instant(time: Date | string | undefined | null): Date | undefined {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1971 ? undefined : date;
}
