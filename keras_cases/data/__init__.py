"""Images in; nothing here knows a net."""

from keras_cases.data.sample import Dataset, Split, sample
from keras_cases.data.load import load
