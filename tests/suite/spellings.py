"""Numbers of every region, as people and programs spell them.

Usage: spellings.py NUMBERS SEED, with the package phonenumbers (libphonenumber in Python). For each
region come its example numbers and so many random valid ones, each in every spelling. The first line
is the version of the package, every other one holds,
with tabs between, the number (E.164), the other forms that the same line has, with commas, the
region in which it is spelled, the kind of the spelling, and the spelling.
"""

import random
import re
import sys

import phonenumbers as pn

TYPES = [
    getattr(pn.PhoneNumberType, name)
    for name in [
        "FIXED_LINE", "MOBILE", "TOLL_FREE", "PREMIUM_RATE", "SHARED_COST", "PERSONAL_NUMBER", "VOIP", "PAGER",
        "UAN", "VOICEMAIL",
    ]
]


def e164(number):
    return pn.format_number(number, pn.PhoneNumberFormat.E164)


def numbers(region, count, dice):
    """The region's example numbers, and so many that chance makes of them."""
    examples = [pn.example_number_for_type(region, kind) for kind in TYPES]
    examples = [number for number in examples if number and pn.is_valid_number_for_region(number, region)]
    found = {e164(number): number for number in examples}
    wanted, tries = len(found) + count, 0
    while examples and len(found) < wanted and tries < 50 * count:
        tries += 1
        example = dice.choice(examples)
        digits = e164(example)
        keep = max(len(str(example.country_code)) + 2, len(digits) - dice.randint(2, 6))
        digits = digits[:keep] + "".join(dice.choice("0123456789") for _ in digits[keep:])
        number = pn.parse(digits)
        if pn.is_valid_number_for_region(number, region) and e164(number) == digits:
            found[digits] = number
    return found.values()


def same_line(number):
    """The other forms of the same line, by the numbering plans of these countries."""
    text = e164(number)
    if match := re.fullmatch(r"\+549(\d{10})", text):
        return ["+54" + match[1]]
    if match := re.fullmatch(r"\+54(\d{10})", text):
        return ["+549" + match[1]]
    for here, there in [("+970", "+972"), ("+972", "+970")]:
        if match := re.fullmatch(re.escape(here) + r"(5\d{8}|[2489]2\d{6})", text):
            return [there + match[1]]
    # Kosovo's numbers kept their digits when they got a country code of their own.
    if match := re.fullmatch(r"\+(?:377(?=4[45])|381(?=2[89]|3[89])|386(?=4[39]))(\d{8})", text):
        return ["+383" + match[1]]
    # France has each number of 08 once for all its territories.
    if match := re.fullmatch(r"\+(?:262|508|590|594|596)(8\d{8})", text):
        return ["+33" + match[1]]
    if match := re.fullmatch(r"\+3780549(\d{6})", text):
        return ["+390549" + match[1]]
    if match := re.fullmatch(r"\+390549(\d{6})", text):
        return ["+3780549" + match[1]]
    # Gabon's first digit became two on 4 June 2019.
    if match := re.fullmatch(r"\+2410?([124567])(\d{6})", text):
        return ["+241" + {"1": "11", "2": "62", "4": "74", "5": "65", "6": "66", "7": "77"}[match[1]] + match[2]]
    # Brazil's mobile numbers got a 9 from 2012 to 2016.
    if match := re.fullmatch(r"\+55(\d\d)([689]\d{7})", text):
        return ["+55" + match[1] + "9" + match[2]]
    # Colombia's fixed lines got a 60 on 1 September 2021.
    if match := re.fullmatch(r"\+57([1-8]\d{7})", text):
        return ["+5760" + match[1]]
    # A number of 09 or 0709 is one in the French plan, whichever territory's code stands before it.
    if match := re.fullmatch(r"\+(?:33|262|590|594|596)((?:9|709)\d+)", text):
        return ["+" + code + match[1] for code in ("262", "590", "594", "596") if "+" + code + match[1] != text]
    if match := re.fullmatch(r"\+33((262|263|269|639|69[0-7]|590|594|596|508)\d{6})", text):
        national = match[1]
        code = {"262": "262", "263": "262", "269": "262", "639": "262", "692": "262", "693": "262", "590": "590",
                "690": "590", "691": "590", "594": "594", "694": "594", "596": "596", "696": "596", "697": "596",
                "508": "508"}.get(national[:3])
        if code:
            return ["+" + code + (national[3:] if code == "508" else national)]
    return []


def spellings(number, region):
    metadata = pn.PhoneMetadata.metadata_for_region(region)
    code, national = str(number.country_code), pn.national_significant_number(number)
    international = pn.format_number(number, pn.PhoneNumberFormat.INTERNATIONAL)
    at_home = pn.format_number(number, pn.PhoneNumberFormat.NATIONAL)
    digits = re.sub(r"\D", "", at_home)
    yield "international", international
    yield "international", e164(number)
    for sign in ["-", ".", "\u00a0", "", "/"]:
        yield "international", "+" + code + " " + re.sub(r"[\s\-]", sign, international.split(" ", 1)[-1])
    yield "rfc3966", pn.format_number(number, pn.PhoneNumberFormat.RFC3966)
    yield "rfc3966", pn.format_number(number, pn.PhoneNumberFormat.RFC3966)[4:]
    yield "00", "00" + code + national
    yield "00", "00 " + code + " " + international.split(" ", 1)[-1]
    yield "00", "(00" + code + ") " + national
    prefix = metadata.international_prefix
    if prefix and prefix.isdigit():
        yield "own prefix abroad", prefix + code + national
    yield "national", at_home
    yield "national", digits
    for sign in [".", "-", " ", "/"]:
        yield "national", re.sub(r"[\s\-]", sign, at_home)
    trunk = metadata.national_prefix
    if trunk and digits == trunk + national:
        groups = re.split(r"[\s\-()/]+", at_home.strip("( "))
        if len(groups) > 1 and groups[0].startswith(trunk):
            yield "bracketed", "+" + code + " (" + groups[0] + ") " + " ".join(groups[1:])
            yield "bracketed", "+" + code + " (" + trunk + ")" + groups[0][len(trunk):] + " " + " ".join(groups[1:])
            yield "bracketed", "(" + groups[0] + ") " + " ".join(groups[1:])
        yield "bracketed", "+" + code + " (" + trunk + ") " + national
        yield "trunk", "+" + code + digits
        yield "trunk", "+" + code + " " + at_home
        yield "trunk", "00" + code + digits
    yield "float", code + national + ".0"
    yield "float", "+" + code + national + ".0"
    yield "float", digits + ".0"
    yield "blank", " " + code + national
    yield "blank", " " + at_home
    yield "digits", code + national


def main():
    count, dice = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    print(pn.__version__)
    for region in sorted(pn.SUPPORTED_REGIONS):
        for number in numbers(region, count, dice):
            head = [e164(number), ",".join(same_line(number)), region]
            for kind, spelling in dict.fromkeys(spellings(number, region)):
                print(*head, kind, spelling, sep="\t")


main()
