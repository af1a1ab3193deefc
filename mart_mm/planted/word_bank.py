"""Words that the subtitles of planted videos are made of.

Candidates are written by hand; which of them serve is decided by the lexicon: a candidate is kept
where its primary mood speaks for the class it is listed for and its polarity agrees with it.
SenticNet's moods surprise a reader at times: what counts here is what the lexicon says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mart_mm.lexicon.base import Lexicon
from mart_mm.lexicon.matching import lemma, tokenize
from mart_mm.planted.class_set import ClassSet

CANDIDATES = {
    'anger': """revenge, threaten, curse, blackmail, dissent, disagree, protest, enemies,
        destroying, brute, howling, screech, shriek, agitation, extortion, tension,
        killed, crashing, stampede, troll, charge, louder, militancy, cynicism, terror,
        hard threat, serious threat, unruly emotion, outright refusal, nervous tension,
        cry loudly, growing louder, violent turmoil, evil witch, partisan tension, exclaim
        aloud""",
    'disgust': """vomit, vile, stinking, mold, puke, greasy, unpleasant, cockroach, poisonous,
        slimy, sneaky, bedbug, excrement, dung, taint, brawl, annoyance, creepier,
        unwashed, crappy, spite, unease, weariness, fistfight, provoke, dispute, madness,
        scary, evil, soreness, dirty rat, fishy smell, toxic mold, rotting meat, toxic
        emotion, bad fatigue, nasty gash, bad mold, wet rot, violent robbery""",
    'fear': """combat, coward, abduct, kidnap, betrayal, eerie, uncanny, torture, traitor, wince,
        grimace, twitch, breach, defiance, impatience, injustice, wickedness, villainy,
        pirate, badness, squalor, servitude, contempt, loathing, scar, xenophobia,
        narcissist, mortal enemy, bitter enemy, wrong behavior, visible scar, deep scar,
        bug bite, seizes control, serial liar, illegal behavior, prejudice, self interest""",
    'joy': """joy, joyful, happy, happiness, glad, delight, cheerful, smile, laugh, laughter,
        enjoy, love, lovely, wonderful, beautiful, celebrate, celebration, party, gift,
        friend, sunshine, success, victory, winner, hope, peace, relax, pleasant,
        exciting, fantastic, perfect, holiday, comfort, warm, kindness, grateful, bliss,
        merry, optimistic, peace treaty, great work, standing ovation""",
    'sadness': """sad, sadness, grief, cry, sorrow, mourn, mourning, lonely, loneliness, depressed,
        depression, misery, gloom, loss, lost, heartbroken, hopeless, despair, melancholy,
        regret, funeral, grave, tomb, weeping, painful, hurt, suffer, broken, alone,
        tragic, weak, failure, defeat, homesick, tearful, nostalgia, numbness, hunger,
        orphan, desertion, panic, decay, rueful smile, rising tension, serious disease,
        heart failure, dark shadow""",
    'surprise': """brilliant, delight, rescue, benefit, proud, leap, bounce, confident, gorgeous,
        stunned, wink, novel, heartbeat, prestige, applause, wisdom, pride, respect,
        celebrity, fairytale, genie, largesse, devotion, finest, jiffy, greet, fondness,
        geniality, approval, partner""",
    'anticipation': """spring, hint, alacrity, premium, fame, renowned, original, institute,
        establish, theorist, thinker, superior, elite, flavor, calm, loyalty, etiquette, humility,
        cook, security, formality, adoption, belief, amulet, talisman, alchemist, magnetism,
        community, credible, truth, magnificent, castle, empire, prince, wise, courtesy""",
    'trust': """trust, friendly, believe, hope, loyal, perfect, grateful, warmth, kindness, balance,
        harmony, serenity, patience, calmness, generous, sincerity, guidance, tenderly, blissful,
        bliss, poise, wellness, healing, covenant, confide, quietly, gently, adore, politely,
        beatitude, heavenly, meditation, beautiful, sunshine, piano, moral, talent, attentive""",
}

NAMES = tuple(
    """Paul Tom Anna Peter Lisa John David Sarah Emma Lucas Nina Oscar Martha Henry Clara Ben Eva
    Max Leo Hans Ivan Omar Yuki""".split()
)
OPENERS = (
    'so {name} said', 'now it was', '{name} thought about', 'they told us about', 'we knew it was',
    'and {name} saw', 'here came', 'then it became', 'there was', '{name} asked about', 'it looked',
    'what {name} said was', 'as we came there was', 'she told {name} about', 'maybe it was',
    'today {name} got', 'because of', 'he knew there was', 'they all said', 'after that came',
)  # fmt: skip
LINKS = ('and', 'and then', 'with', 'but also', 'or maybe', 'then', 'and also', 'because of')
CLOSERS = (
    'once again', 'until today', 'for {name}', 'around here', 'with us', 'between them',
    'over there', 'for us all', 'as {name} said', 'since then', 'this time', 'and so on',
    'from now on', 'with {name}',
)  # fmt: skip


class Word(NamedTuple):
    """A candidate that the lexicon confirms.

    Attributes:
        concept: One to three words.
        emotion: Index of the class that its primary mood speaks for.
        degree: The lexicon's degree of that class.
    """

    concept: str
    emotion: int
    degree: float


def confirmed_words(classes: ClassSet, lexicon: Lexicon) -> list[list[Word]]:
    """Candidates of each class that the lexicon confirms, by rising degree.

    Args:
        classes: Of the data set.
        lexicon: Decides mood, polarity and degree.
    """
    table = classes.mood_map
    bank: list[list[Word]] = []
    for index, (sign, lists) in enumerate(zip(classes.polarity, classes.word_lists, strict=True)):
        stand_in = classes.stand_in(index)
        words = set()
        for candidate in ','.join(CANDIDATES[name] for name in lists).split(','):
            concept = ' '.join(candidate.split())
            entry = lexicon.lookup(concept) if concept else None
            if entry is None or entry.polarity != sign or not entry.moods:
                continue
            emotion = table.emotion_class(entry)
            degree = float(table.degrees(entry)[emotion])
            is_wanted = entry.moods[0] == stand_in if stand_in else emotion == index
            if is_wanted and degree >= 0.3:
                words.add(Word(concept, emotion, round(degree, 3)))
        bank.append(sorted(words, key=lambda word: (word.degree, word.concept)))
    return bank


def holds_only(text: str, concepts: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether the lexicon knows nothing in a text but these concepts and parts of them.

    Every run of one to four words is tried, as written and as lemmas, so that no way of matching
    finds an accidental concept.

    Args:
        text: A sentence.
        concepts: What it is meant to hold.
        lexicon: Knows the concepts.
    """
    surface = [token.text.lower() for token in tokenize(text)]
    lemmas = [lemma(word) for word in surface]
    owner = [-1] * len(surface)
    for number, concept in enumerate(concepts):
        words = concept.split()
        places = [
            i for i in range(len(surface) - len(words) + 1) if surface[i : i + len(words)] == words
        ]
        if len(places) != 1:
            return False
        owner[places[0] : places[0] + len(words)] = [number] * len(words)
    for start in range(len(surface)):
        for stop in range(start + 1, min(start + 4, len(surface)) + 1):
            owners = set(owner[start:stop])
            if len(owners) == 1 and -1 not in owners:
                continue
            if any(lexicon.lookup(' '.join(words[start:stop])) for words in (surface, lemmas)):
                return False
    return True
