"""Currencies of ISO 4217: how many decimals each has; amounts as texts and as minor units."""

import re

from seatwatt.contract.errors import InputError

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN "
       "BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
       "GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
       "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD "
       "PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
       "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW",
    3: "BHD IQD JOD KWD LYD OMR TND",
}

DECIMALS: dict[str, int] = {code: decimals for decimals, codes in _DECIMALS.items()
                            for code in codes.split()}
"""Currency code -> decimals of its minor unit."""

DIGITS_MAX = 15
"""No bill reaches a million milliards; more digits are a slip of the hand."""

_AMOUNT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


def decimals_of(currency: str) -> int:
    """Decimals of the currency; InputError when it is unknown."""
    if currency not in DECIMALS:
        raise InputError("currency", f"{currency!r} is unknown", "an ISO 4217 code such as PKR")
    return DECIMALS[currency]


def parse_amount(where: str, value: object, currency: str) -> int:
    """`"507435.60"` in minor units. A number is refused: it may not be what was written.

    >>> parse_amount("amount", "-16.82", "PKR")
    -1682
    """
    decimals = decimals_of(currency)
    example = "1250" + (f".{'0' * decimals}" if decimals else "")
    expected = f'a text with at most {decimals} decimals, such as "{example}"'
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InputError(where, f"{value!r} is not an amount", expected)
    sign, whole, part = match[1], match[2], match[3] or ""
    if len(part) > decimals:
        raise InputError(where, f"{value!r} has more decimals than {currency}", expected)
    if len(whole) + decimals > DIGITS_MAX:
        raise InputError(where, f"{value!r} is too large", f"at most {DIGITS_MAX} digits")
    minor = int(whole + part.ljust(decimals, "0"))
    return -minor if sign else minor


def format_amount(minor: int, currency: str) -> str:
    """Minor units as a text with the currency's decimals.

    >>> format_amount(-5, "PKR"), format_amount(5, "JPY"), format_amount(5, "KWD")
    ('-0.05', '5', '0.005')
    """
    decimals = decimals_of(currency)
    digits = str(abs(minor)).rjust(decimals + 1, "0")
    sign = "-" if minor < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)
