"""Sentences for the speech model: robot talk, everyday talk that must not move it, and ROHAN for breadth.

Everything here is a generator of *surface* Japanese; readings come later from Open JTalk, so that what
is written as the target is exactly what is spoken. The same seed gives the same list.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

# Verb tables: te-form, imperative, continuative (masu stem), dictionary form.
VERBS: list[tuple[str, str, str, str]] = [
    ("座って", "座れ", "座り", "座る"),
    ("お座りして", "お座りしろ", "お座りし", "お座りする"),
    ("腰を下ろして", "腰を下ろせ", "腰を下ろし", "腰を下ろす"),
    ("腰かけて", "腰かけろ", "腰かけ", "腰かける"),
    ("しゃがんで", "しゃがめ", "しゃがみ", "しゃがむ"),
    ("立って", "立て", "立ち", "立つ"),
    ("立ち上がって", "立ち上がれ", "立ち上がり", "立ち上がる"),
    ("起きて", "起きろ", "起き", "起きる"),
    ("起き上がって", "起き上がれ", "起き上がり", "起き上がる"),
    ("起立して", "起立しろ", "起立し", "起立する"),
    ("伏せて", "伏せろ", "伏せ", "伏せる"),
    ("寝て", "寝ろ", "寝", "寝る"),
    ("横になって", "横になれ", "横になり", "横になる"),
    ("寝転んで", "寝転べ", "寝転び", "寝転ぶ"),
    ("うつ伏せになって", "うつ伏せになれ", "うつ伏せになり", "うつ伏せになる"),
    ("休んで", "休め", "休み", "休む"),
    ("休憩して", "休憩しろ", "休憩し", "休憩する"),
    ("眠って", "眠れ", "眠り", "眠る"),
    ("力を抜いて", "力を抜け", "力を抜き", "力を抜く"),
    ("脱力して", "脱力しろ", "脱力し", "脱力する"),
    ("挨拶して", "挨拶しろ", "挨拶し", "挨拶する"),
    ("ご挨拶して", "ご挨拶しろ", "ご挨拶し", "ご挨拶する"),
    ("手を振って", "手を振れ", "手を振り", "手を振る"),
    ("バイバイして", "バイバイしろ", "バイバイし", "バイバイする"),
    ("お手して", "お手しろ", "お手し", "お手する"),
    ("握手して", "握手しろ", "握手し", "握手する"),
    ("お辞儀して", "お辞儀しろ", "お辞儀し", "お辞儀する"),
    ("踊って", "踊れ", "踊り", "踊る"),
    ("ダンスして", "ダンスしろ", "ダンスし", "ダンスする"),
    ("一曲踊って", "一曲踊れ", "一曲踊り", "一曲踊る"),
    ("ダンスを見せて", "ダンスを見せろ", "ダンスを見せ", "ダンスを見せる"),
    ("別のダンスをして", "別のダンスをしろ", "別のダンスをし", "別のダンスをする"),
    ("伸びをして", "伸びをしろ", "伸びをし", "伸びをする"),
    ("伸びして", "伸びしろ", "伸びし", "伸びする"),
    ("ストレッチして", "ストレッチしろ", "ストレッチし", "ストレッチする"),
    ("背伸びして", "背伸びしろ", "背伸びし", "背伸びする"),
    ("体を伸ばして", "体を伸ばせ", "体を伸ばし", "体を伸ばす"),
    ("ハートを作って", "ハートを作れ", "ハートを作り", "ハートを作る"),
    ("ハートをして", "ハートをしろ", "ハートをし", "ハートをする"),
    ("ハートを見せて", "ハートを見せろ", "ハートを見せ", "ハートを見せる"),
    ("喜んで", "喜べ", "喜び", "喜ぶ"),
    ("ポーズして", "ポーズしろ", "ポーズし", "ポーズする"),
    ("ポーズをとって", "ポーズをとれ", "ポーズをとり", "ポーズをとる"),
    ("おねだりして", "おねだりしろ", "おねだりし", "おねだりする"),
    ("お願いポーズして", "お願いポーズしろ", "お願いポーズし", "お願いポーズする"),
    ("新年の挨拶をして", "新年の挨拶をしろ", "新年の挨拶をし", "新年の挨拶をする"),
    ("ごろんとして", "ごろんとしろ", "ごろんとし", "ごろんとする"),
    ("引っ掻いて", "引っ掻け", "引っ掻き", "引っ掻く"),
    ("バランスをとって", "バランスをとれ", "バランスをとり", "バランスをとる"),
    ("止まって", "止まれ", "止まり", "止まる"),
    ("止めて", "止めろ", "止め", "止める"),
    ("やめて", "やめろ", "やめ", "やめる"),
    ("待って", "待て", "待ち", "待つ"),
    ("ストップして", "ストップしろ", "ストップし", "ストップする"),
    ("停止して", "停止しろ", "停止し", "停止する"),
    ("歩いて", "歩け", "歩き", "歩く"),
    ("前に進んで", "前に進め", "前に進み", "前に進む"),
    ("前進して", "前進しろ", "前進し", "前進する"),
    ("前に出て", "前に出ろ", "前に出", "前に出る"),
    ("後ろに下がって", "後ろに下がれ", "後ろに下がり", "後ろに下がる"),
    ("下がって", "下がれ", "下がり", "下がる"),
    ("後退して", "後退しろ", "後退し", "後退する"),
    ("バックして", "バックしろ", "バックし", "バックする"),
    ("右に曲がって", "右に曲がれ", "右に曲がり", "右に曲がる"),
    ("左に曲がって", "左に曲がれ", "左に曲がり", "左に曲がる"),
    ("右を向いて", "右を向け", "右を向き", "右を向く"),
    ("左を向いて", "左を向け", "左を向き", "左を向く"),
    ("後ろを向いて", "後ろを向け", "後ろを向き", "後ろを向く"),
    ("右に回って", "右に回れ", "右に回り", "右に回る"),
    ("左に回って", "左に回れ", "左に回り", "左に回る"),
    ("回って", "回れ", "回り", "回る"),
    ("くるっと回って", "くるっと回れ", "くるっと回り", "くるっと回る"),
    ("一回転して", "一回転しろ", "一回転し", "一回転する"),
    ("こっちに来て", "こっちに来い", "こっちに来", "こっちに来る"),
    ("戻って", "戻れ", "戻り", "戻る"),
    ("ついて来て", "ついて来い", "ついて来", "ついて来る"),
    ("ジャンプして", "ジャンプしろ", "ジャンプし", "ジャンプする"),
    ("跳んで", "跳べ", "跳び", "跳ぶ"),
    ("飛びかかって", "飛びかかれ", "飛びかかり", "飛びかかる"),
    ("宙返りして", "宙返りしろ", "宙返りし", "宙返りする"),
    ("バク転して", "バク転しろ", "バク転し", "バク転する"),
    ("前転して", "前転しろ", "前転し", "前転する"),
    ("側転して", "側転しろ", "側転し", "側転する"),
    ("逆立ちして", "逆立ちしろ", "逆立ちし", "逆立ちする"),
    ("走って", "走れ", "走り", "走る"),
    ("写真を撮って", "写真を撮れ", "写真を撮り", "写真を撮る"),
    ("お腹を見せて", "お腹を見せろ", "お腹を見せ", "お腹を見せる"),
    ("動いて", "動け", "動き", "動く"),
    ("準備して", "準備しろ", "準備し", "準備する"),
    ("姿勢を正して", "姿勢を正せ", "姿勢を正し", "姿勢を正す"),
    ("立て直して", "立て直せ", "立て直し", "立て直す"),
    ("復帰して", "復帰しろ", "復帰し", "復帰する"),
]

NOUNS = [
    "お座り",
    "おすわり",
    "シット",
    "起立",
    "スタンド",
    "スタンドアップ",
    "立て",
    "伏せ",
    "寝る時間",
    "ダウン",
    "待て",
    "ステイ",
    "お手",
    "おかわり",
    "挨拶",
    "ご挨拶",
    "ハロー",
    "ダンス",
    "ダンスタイム",
    "ダンスワン",
    "ダンスツー",
    "ストレッチ",
    "伸び",
    "ハート",
    "ハートマーク",
    "ポーズ",
    "ジャンプ",
    "宙返り",
    "フロントフリップ",
    "バックフリップ",
    "バク転",
    "前転",
    "逆立ち",
    "おいで",
    "こっちおいで",
    "カモン",
    "前進",
    "後退",
    "バック",
    "回れ右",
    "右向け右",
    "左向け左",
    "右",
    "左",
    "前",
    "後ろ",
    "ストップ",
    "停止",
    "緊急停止",
    "非常停止",
    "解除",
    "もう動いていいよ",
    "やめ",
    "やめろ",
    "中止",
    "キャンセル",
    "動くな",
    "だめ",
    "危ない",
    "お休み",
    "休憩",
    "リラックス",
    "バランス",
    "バランススタンド",
    "復帰",
    "リカバリー",
    "直立",
    "気をつけ",
    "休め",
    "ごろん",
    "ごろーん",
    "よし",
    "ゴー",
    "レッツダンス",
    "もう一回",
    "もう一度",
    "おねだり",
    "スピン",
    "ターン",
    "一回転",
    "半回転",
    "まっすぐ",
    "前へ",
    "後ろへ",
    "右へ",
    "左へ",
    "もっとゆっくり",
    "もっと速く",
    "速く歩いて",
    "ゆっくり歩いて",
    "ゆっくりして",
    "スピードアップ",
    "スピードダウン",
    "手を挙げて",
    "頭を上げて",
    "音量を上げて",
    "音量を下げて",
    "静かにして",
    "黙って",
    "うるさい",
]

GREETINGS = [
    "こんにちは",
    "おはよう",
    "おはようございます",
    "こんばんは",
    "やあ",
    "はじめまして",
    "久しぶり",
    "さようなら",
    "バイバイ",
    "またね",
    "お疲れ様",
    "お疲れ様でした",
    "ただいま",
    "おかえり",
    "行ってきます",
    "行ってらっしゃい",
    "おやすみ",
    "おやすみなさい",
    "よろしくね",
    "よろしくお願いします",
    "元気ですか",
    "元気かい",
    "調子はどう",
    "もしもし",
    "ハロー",
    "やっほー",
    "ありがとう",
    "ありがとうございます",
    "どうもありがとう",
    "ごめんね",
    "すみません",
]

PRAISE = [
    "可愛いね",
    "かわいい",
    "すごくかわいいね",
    "えらいね",
    "えらいぞ",
    "いい子だね",
    "いい子",
    "よくできました",
    "よくやった",
    "上手だね",
    "上手",
    "すごいね",
    "すごい",
    "さすがだね",
    "最高",
    "かっこいいね",
    "素敵だね",
    "大好き",
    "大好きだよ",
    "愛してる",
    "賢いね",
    "頭がいいね",
    "頼りになるね",
    "天才だね",
    "完璧だね",
    "いいね",
    "いいぞ",
    "その調子",
    "がんばれ",
    "がんばったね",
    "素晴らしい",
    "見事だね",
    "お利口さん",
    "お利口だね",
    "ふわふわだね",
    "嬉しいな",
    "楽しいね",
    "疲れた",
    "疲れたな",
    "疲れたよ",
    "眠いな",
    "寂しいな",
    "悲しいよ",
    "つまらないな",
    "退屈だな",
    "お腹すいた",
    "嬉しいよ",
    "怖いな",
    "緊張するな",
]

QUESTIONS = [
    "お名前は何ですか",
    "名前は",
    "あなたは誰ですか",
    "君の名前を教えて",
    "何ができますか",
    "何ができるの",
    "今何時ですか",
    "今日は何曜日ですか",
    "天気はどうですか",
    "今日の天気を教えて",
    "明日は雨が降りますか",
    "バッテリーはどれくらい残っていますか",
    "電池の残りは",
    "バッテリー残量を教えて",
    "どこから来たの",
    "何歳ですか",
    "好きな食べ物は何ですか",
    "ダンスは好きですか",
    "泳げますか",
    "階段は登れますか",
    "どうやって歩くの",
    "量子力学について教えて",
    "日本の首都はどこですか",
    "富士山の高さは",
    "一足す一は",
    "座り方を教えて",
    "立ち方を教えてください",
    "踊り方を知っていますか",
    "これは何ですか",
    "それは本当ですか",
    "どうして空は青いの",
    "おすすめの映画は何",
    "面白い話をして",
    "歌を歌える",
    "昨日は何をしたの",
    "誰が作ったの",
    "重さはどれくらい",
    "速さはどのくらい出ますか",
    "右と左どっちが好き",
    "いつ帰ってくるの",
    "犬は好き",
    "猫は好きですか",
]

TRAPS = [
    "座らないで",
    "立たないで",
    "踊らないで",
    "動かないでくれる",
    "座らなくていい",
    "踊らなくていいよ",
    "立たなくてもいいです",
    "座ってはいけない",
    "座っちゃだめ",
    "踊ってはいけません",
    "立ってほしくない",
    "挨拶しないで",
    "挨拶しなくていい",
    "進まないで",
    "彼は座っています",
    "さっき座ったよね",
    "もし座ったらどうなる",
    "踊ったら疲れるかな",
    "役に立つね",
    "腹が立つ",
    "目立つ服だね",
    "座布団を持ってきて",
    "伸びしろがあるね",
    "電車が止まっている",
    "電車が止まった",
    "時計が止まっているよ",
    "雨が止んだ",
    "まとめておいて",
    "荷物をまとめて",
    "初めて会ったね",
    "初めて見た",
    "ストップウォッチを貸して",
    "お泊まり会が楽しみ",
    "友達の家に泊まって",
    "席に座っている人は誰",
    "踊りを見に行った",
    "ダンスの先生に会った",
    "彼女はよく挨拶する",
    "立ち話をした",
    "立場が違う",
    "手を振っている人がいる",
    "右の本を取って",
    "左の人は誰",
    "前の話の続き",
    "後ろの席が空いている",
    "伸びた麺は嫌い",
    "昨日は寝坊した",
    "寝てばかりいる",
    "弟が寝ている",
    "待ち合わせは駅前",
    "駅で待っていた",
    "横になりたいな",
    "座りたい",
    "立っているのがつらい",
    "走るのは苦手",
    "ジャンプ力がすごい",
    "回転寿司に行こう",
    "回り道をした",
    "休みの日は何をする",
    "明日は休みだ",
    "止まらない",
    "涙が止まらない",
    "心臓が止まるかと思った",
    "歩くのが好き",
    "散歩に行きたいね",
    "前向きに考えよう",
    "左右を確認した",
    "三時に会おう",
    "二つください",
    "百円です",
    "立てなかった",
    "座ったことがある",
    "踊りましょうか",
    "待たせてごめん",
    "危なかったね",
    "危なくないよ",
    "だめじゃない",
    "止めておこうか",
    "ハートの形のチョコ",
    "お手上げだ",
    "お手伝いして",
    "握手会に行った",
    "写真が好き",
    "起きたばかり",
    "早起きした",
    "姿勢が悪い",
    "動きが速い",
]

EVERYDAY_NOUNS = [
    "私",
    "僕",
    "あなた",
    "友達",
    "先生",
    "学生",
    "母",
    "父",
    "弟",
    "妹",
    "子供",
    "犬",
    "猫",
    "鳥",
    "電車",
    "バス",
    "車",
    "自転車",
    "駅",
    "学校",
    "会社",
    "病院",
    "公園",
    "海",
    "山",
    "川",
    "空",
    "雨",
    "雪",
    "風",
    "花",
    "木",
    "本",
    "新聞",
    "手紙",
    "電話",
    "時計",
    "机",
    "椅子",
    "部屋",
    "窓",
    "家",
    "台所",
    "お茶",
    "コーヒー",
    "水",
    "ご飯",
    "パン",
    "肉",
    "魚",
    "野菜",
    "果物",
    "りんご",
    "音楽",
    "映画",
    "写真",
    "絵",
    "歌",
    "言葉",
    "名前",
    "仕事",
    "宿題",
    "試験",
    "夏休み",
    "冬",
    "春",
    "秋",
    "夏",
    "朝",
    "昼",
    "夜",
    "昨日",
    "今日",
    "明日",
    "来週",
    "去年",
    "ロボット",
    "機械",
    "テレビ",
    "パソコン",
    "荷物",
    "切符",
    "旅行",
    "料理",
    "買い物",
    "洗濯",
    "掃除",
    "天気",
    "時間",
    "お金",
    "約束",
    "問題",
    "答え",
    "意味",
    "理由",
    "気持ち",
    "夢",
    "世界",
    "日本",
    "東京",
    "京都",
    "北海道",
]
EVERYDAY_VERBS = [
    "見た",
    "食べた",
    "飲んだ",
    "行った",
    "来た",
    "買った",
    "読んだ",
    "書いた",
    "聞いた",
    "話した",
    "作った",
    "忘れた",
    "思い出した",
    "探している",
    "待っている",
    "使っている",
    "洗った",
    "借りた",
    "返した",
    "送った",
    "届いた",
    "始まった",
    "終わった",
    "見つけた",
    "拾った",
    "運んだ",
    "調べた",
    "覚えた",
    "習った",
    "教えた",
    "手伝った",
    "好きだ",
    "嫌いだ",
    "欲しい",
    "大切だ",
    "必要だ",
    "きれいだ",
    "大きい",
    "小さい",
    "新しい",
    "古い",
    "高い",
    "安い",
    "おいしい",
    "難しい",
    "易しい",
    "面白い",
    "静かだ",
    "にぎやかだ",
]
PARTICLES = ["が", "を", "に", "は", "も", "と", "で", "から", "まで", "の話は"]
TAILS = ["", "", "ね", "よ", "んです", "と思う", "かな", "らしい", "けど", "から", "そうです"]

# What may stand before and after a command without changing it.
FILLERS = [
    "えーと",
    "えっと",
    "あのー",
    "あの",
    "ねえ",
    "ねえねえ",
    "ほら",
    "じゃあ",
    "それじゃ",
    "さあ",
    "はい",
    "よし",
    "ちょっと",
    "うーん",
    "まあ",
    "おい",
    "すみません",
    "悪いけど",
    "今すぐ",
    "早く",
    "ゆっくり",
    "もう一回",
    "もう一度",
    "お願い",
]
NAMES = [
    "クラウディア",
    "ねえクラウディア",
    "クラちゃん",
    "クラウディアちゃん",
    "ねえクラちゃん",
    "ロボット",
    "ワンちゃん",
    "ポチ",
]
TE_ENDINGS = [
    "",
    "",
    "",
    "",
    "ください",
    "くださいね",
    "くれる",
    "くれる？",
    "くれない？",
    "くれますか",
    "くれませんか",
    "もらえる？",
    "もらえますか",
    "もらえませんか",
    "ちょうだい",
    "ほしい",
    "ほしいな",
    "ほしいです",
    "いただけますか",
    "いただけませんか",
    "よ",
    "ね",
    "みて",
    "みてください",
    "みせて",
    "くださいます",
    "くれないかな",
    "くれよ",
    "ごらん",
    "もいいよ",
    "いいよ",
]
STEM_ENDINGS = ["なさい", "なさいよ", "ましょう", "ます", "なよ"]
IMP_ENDINGS = ["", "", "よ", "ってば"]
DICT_ENDINGS = ["", "んだ", "んだよ", "の", "こと", "ように", "のをお願い", "の見せて"]
NOUN_ENDINGS = [
    "",
    "",
    "",
    "",
    "して",
    "してください",
    "お願い",
    "お願いします",
    "をお願い",
    "だよ",
    "しよう",
    "を見せて",
    "やって",
    "をして",
    "してくれる？",
    "してちょうだい",
    "できる？",
]

DIGITS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"]
DIRECTIONS = ["前に", "前へ", "後ろに", "後ろへ", "右に", "左に", "右へ", "左へ", "まっすぐ", "手前に", "こっちに", ""]
MOVES = [
    "進んで",
    "下がって",
    "歩いて",
    "動いて",
    "行って",
    "移動して",
    "前進して",
    "後退して",
    "バックして",
    "進め",
    "下がれ",
    "歩け",
    "進む",
    "来て",
]
TURNS = ["回って", "曲がって", "向いて", "回転して", "旋回して", "ターンして", "回れ", "曲がれ", "回転しろ"]
CONNECT_TE = [
    "",
    "",
    "",
    "から",
    "、それから",
    "、そして",
    "、そのあと",
    "、次に",
    "、最後に",
    "、そのあとで",
    "、その後",
]
PRE = ["", "", "", "まず", "最初に", "はじめに", "先に"]
POLITE_TAIL = ["", "", "", "ください", "ね", "くれる？", "ちょうだい", "もらえますか", "くれますか", "ほしい", "よ"]

ENGLISH = [
    "シットダウン",
    "スタンドアップ",
    "ストップ",
    "ハロー",
    "ダンス",
    "ゴー",
    "カムヒア",
    "レフト",
    "ライト",
    "フォワード",
    "バック",
]


def number(rng: random.Random, top: int) -> str:
    """A cardinal written in kanji, 1..top, read naturally by Open JTalk."""
    n = rng.randint(1, top)
    if n <= 10:
        return DIGITS[n - 1]
    out = ""
    if n >= 100:
        out += ("" if n // 100 == 1 else DIGITS[n // 100 - 1]) + "百"
        n %= 100
    if n >= 10:
        out += ("" if n // 10 == 1 else DIGITS[n // 10 - 1]) + "十"
        n %= 10
    return out + (DIGITS[n - 1] if n else "")


def command(rng: random.Random) -> str:
    kind = rng.random()
    te, imp, stem, dic = rng.choice(VERBS)
    if kind < 0.52:
        body = te + rng.choice(TE_ENDINGS)
    elif kind < 0.64:
        body = imp + rng.choice(IMP_ENDINGS)
    elif kind < 0.71:
        body = stem + rng.choice(STEM_ENDINGS)
    elif kind < 0.77:
        body = dic + rng.choice(DICT_ENDINGS)
    else:
        body = rng.choice(NOUNS) + rng.choice(NOUN_ENDINGS)
    return body


def table_phrases(data: Path = Path(__file__).parents[2] / "claudiad" / "data") -> list[str]:
    """Every phrase the router knows: the tables that ship are also what the model must be able to hear."""
    rows = (line.split("\t") for line in (data / "phrases.tsv").read_text(encoding="utf-8").splitlines())
    out = [r[0].lstrip("=") for r in rows if len(r) > 1 and not r[0].startswith("#")]
    rows = (line.split("\t") for line in (data / "stops.tsv").read_text(encoding="utf-8").splitlines())
    out += [r[1] for r in rows if r[0] in {"word", "said", "release"}] * 2
    return [p for p in out if not re.search("[a-z\u4e0b\u4f60\u8d77]", p)]  # English and Chinese are not spoken here


_TABLE: list[str] = []


def from_table(rng: random.Random) -> str:
    if not _TABLE:
        _TABLE.extend(table_phrases())
    phrase = rng.choice(_TABLE)
    if phrase.endswith(("て", "で")):
        return phrase + rng.choice(TE_ENDINGS)
    return phrase + (rng.choice(NOUN_ENDINGS) if rng.random() < 0.4 else "")


def dressed(rng: random.Random, body: str) -> str:
    p = rng.random()
    if p < 0.14:
        return rng.choice(FILLERS) + "、" + body
    if p < 0.27:
        return rng.choice(NAMES) + "、" + body
    if p < 0.30:
        return body + "、" + rng.choice(NAMES)
    if p < 0.33:
        return rng.choice(FILLERS) + "、" + rng.choice(NAMES) + "、" + body
    return body


def stop(rng: random.Random) -> str:
    words = [
        "止まって",
        "止まれ",
        "ストップ",
        "やめて",
        "待って",
        "待て",
        "止めて",
        "動くな",
        "緊急停止",
        "停止",
        "だめ",
        "危ない",
        "やめろ",
        "やめなさい",
        "止まりなさい",
        "止まってください",
        "やめてください",
        "待ってください",
        "ちょっと待って",
        "そこまで",
        "非常停止",
        "とまれー",
        "ストーップ",
        "止まってー",
        "やめろー",
        "待てー",
        "動かないで",
        "やめ",
        "やめてよ",
        "もうやめて",
        "もういい",
    ]
    return "、".join(rng.choice(words) for _ in range(rng.choice([1, 1, 1, 2, 2, 3])))


def sequence(rng: random.Random) -> str:
    n = rng.choice([2, 2, 2, 3, 3, 4])
    verbs = rng.sample(VERBS, n)
    if rng.random() < 0.12:
        return f"{verbs[1][3]}前に{verbs[0][0]}" + rng.choice(POLITE_TAIL)
    if rng.random() < 0.12:
        past = re.sub("て$", "た", re.sub("で$", "だ", verbs[0][0]))
        return past + rng.choice(["ら", "後で", "あとに"]) + verbs[1][0] + rng.choice(POLITE_TAIL)
    parts = []
    for i, v in enumerate(verbs):
        step = motion(rng, polite=False) if rng.random() < 0.15 else v[0]
        last = i == n - 1
        if last and rng.random() < 0.25:
            step = v[1]
        parts.append(
            step
            + (
                rng.choice(POLITE_TAIL)
                if last and step.endswith(("て", "で"))
                else ""
                if last
                else rng.choice(CONNECT_TE)
            )
        )
    return rng.choice(PRE) + "".join(
        p + ("、" if rng.random() < 0.3 and i < n - 1 else "") for i, p in enumerate(parts)
    )


def motion(rng: random.Random, polite: bool = True) -> str:
    p = rng.random()
    if p < 0.30:
        amount = number(rng, 5) + rng.choice(["メートル", "メートル半", "メーター", "メートルだけ"])
        if rng.random() < 0.15:
            amount = rng.choice(["半メートル", "一点五メートル", "二点五メートル", "〇点五メートル"])
    elif p < 0.50:
        amount = rng.choice(
            [number(rng, 10), number(rng, 300), number(rng, 30) + "十", "百", "五十", "三十", "二十", "八十"]
        )
        amount = (number(rng, 300) if amount.endswith("十十") else amount) + rng.choice(
            ["センチ", "センチメートル", "センチほど", "センチだけ"]
        )
    elif p < 0.62:
        amount = number(rng, 10) + rng.choice(["歩", "歩だけ", "歩ほど"])
    elif p < 0.68:
        amount = number(rng, 10) + "秒" + rng.choice(["間", "", "だけ"])
    elif p < 0.86:
        degrees = rng.choice(
            [number(rng, 360), "九十", "四十五", "百八十", "三百六十", "三十", "六十", "百二十", "二百七十", "十五"]
        )
        body = (
            rng.choice(["右に", "左に", "右へ", "左へ", "時計回りに", "反時計回りに", ""])
            + degrees
            + "度"
            + rng.choice(TURNS)
        )
        return body + (rng.choice(POLITE_TAIL) if polite and body.endswith(("て", "で")) else "")
    elif p < 0.93:
        body = (
            rng.choice(["右に", "左に", "その場で", ""])
            + number(rng, 3)
            + rng.choice(["回転して", "回回って", "周して", "周回って", "回転"])
        )
        return body + (rng.choice(POLITE_TAIL) if polite and body.endswith(("て", "で")) else "")
    else:
        body = number(rng, 5) + "回" + rng.choice(VERBS)[0]
        return body + (rng.choice(POLITE_TAIL) if polite else "")
    move = rng.choice(MOVES)
    d = rng.choice(DIRECTIONS)
    body = d + amount + move if rng.random() < 0.4 else amount + d + move
    return body + (rng.choice(POLITE_TAIL) if polite and body.endswith(("て", "で")) else "")


def social(rng: random.Random) -> str:
    return rng.choice(rng.choice([GREETINGS, PRAISE, PRAISE, QUESTIONS, QUESTIONS])) + rng.choice(
        ["", "", "", "ね", "よ"]
    )


def trap(rng: random.Random) -> str:
    p = rng.random()
    if p < 0.6:
        return rng.choice(TRAPS) + rng.choice(["", "", "ね", "よ", "よね"])
    te, _imp, stem, dic = rng.choice(VERBS)
    return rng.choice(
        [
            te + "いる",
            te + "いました",
            te + "はいけない",
            te + "は駄目です",
            te + "ほしくない",
            te + "いるのは誰",
            stem + "たくない",
            dic + "のは好き",
            dic + "とどうなる",
            dic + "かもしれない",
            dic + "人がいる",
            stem + "方を教えて",
            stem + "ながら話す",
            dic + "のはやめて",
            dic + "必要はない",
            "なぜ" + dic + "の",
            "彼が" + te + "いる",
            te + "しまった",
            te + "いたね",
            stem + "ますか",
        ]
    )


def chatter(rng: random.Random) -> str:
    n = rng.choice([1, 1, 2])
    body = "".join(rng.choice(EVERYDAY_NOUNS) + rng.choice(PARTICLES) for _ in range(n))
    return body + rng.choice(EVERYDAY_VERBS) + rng.choice(TAILS)


def rohan_sentences(path: Path) -> list[str]:
    """ROHAN lines as plain surface text (its furigana in parentheses removed)."""
    out = []
    for line in path.read_text(encoding="utf-8").splitlines():
        _, _, rest = line.partition(":")
        out.append(re.sub(r"\([^)]*\)", "", rest.rpartition(",")[0]))
    return out


def rohan_pieces(sentences: list[str], longest: int = 22) -> list[str]:
    """Clauses of ROHAN, cut at punctuation and joined up to `longest` characters."""
    out = []
    for s in sentences:
        acc = ""
        for clause in re.findall(r"[^、。？！]+", s):
            if acc and len(acc) + len(clause) > longest:
                out.append(acc)
                acc = ""
            acc = f"{acc}、{clause}" if acc else clause
        if acc:
            out.append(acc)
    return [p for p in out if 2 <= len(p) <= longest + 8]


MIX: list[tuple[float, Callable[[random.Random], str]]] = [
    (0.19, lambda r: dressed(r, command(r))),
    (0.16, lambda r: dressed(r, from_table(r)) if r.random() < 0.5 else from_table(r)),
    (0.05, stop),
    (0.13, sequence),
    (0.13, lambda r: dressed(r, motion(r)) if r.random() < 0.4 else motion(r)),
    (0.06, social),
    (0.05, trap),
    (0.08, chatter),
]  # the rest is ROHAN


def sentences(seed: int, rohan: list[str]) -> Iterator[str]:
    """Endless stream of training sentences; `rohan` are pieces, used again when they run out."""
    rng = random.Random(seed)
    pieces = rohan[:]
    rng.shuffle(pieces)
    supply = itertools.cycle(pieces)
    while True:
        p = rng.random()
        for share, make in MIX:
            if p < share:
                yield make(rng)
                break
            p -= share
        else:
            yield next(supply)
