"""The words that Punkt needs to know: written for this package, lower case, no final full stop."""

from __future__ import annotations

__all__ = ["ABBREVIATIONS", "BEFORE_NUMBER", "SENTENCE_STARTERS"]

_ABBREVIATIONS = """
    mr mrs ms messrs mme mlle dr prof rev hon sr jr st gen col maj capt lt sgt cpl gov sen rep pres
    inc corp co cos ltd llc plc bros assn dept univ div govt intl natl mfg mgr
    nos nr vol vols ch chap sec sect art arts para paras pt pts pp p fig figs eq eqs ref refs
    ex appx ed eds cl sch
    vs v cf viz etc al ibid approx est incl excl resp avg temp dia misc
    e.g i.e a.m p.m u.s u.k u.n e.u u.s.a u.s.c c.f.r d.c n.a n.v s.a s.p.a l.p l.l.c l.l.p p.c
    ph.d m.d b.a m.a b.sc m.sc j.d q.v b.c a.d
    jan feb apr jun jul aug sept sep oct nov tue tues thu thur thurs fri
    ave blvd rd hwy ft mt lb lbs oz sq cu yd hr hrs tel ext
    bzw usw ggf inkl vgl z.b d.h u.a
"""
_SENTENCE_STARTERS = """
    the this these those that there it its he she they we you his her their our in on at for if
    when while where as after before since although however moreover therefore thus such each any
    all no both some many most other another under upon during because but and what who why how
"""

ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
"""Words whose full stop ends no sentence, unless a word of `SENTENCE_STARTERS` follows."""

SENTENCE_STARTERS = frozenset(_SENTENCE_STARTERS.split())
"""Words that often begin a sentence."""

BEFORE_NUMBER = ("no", "par", "app", "tab", "max", "min", "mar", "dec", "sat", "sun", "in")
"""Plain words that are abbreviations where a number follows: ``No. 5``."""
