"""Images in; nothing here knows a net."""

from keras_cases.data.load import Dataset, Split, load
